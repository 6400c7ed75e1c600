/**
 * One method of LiveKit's room service as data: its messages, the grant it needs, what a task may say.
 *
 * What is sent on is never what came in but what was read of it, written anew. So fields that this
 * version does not know, repeated fields and double JSON keys cannot mean one room here and another
 * one at LiveKit. LiveKit is asked in protobuf, whatever the caller speaks.
 */
import type { RoomSid } from '../core/room.ts';
import type { TaskKey } from '../driver.ts';
import type { CallGrant } from '../livekit/token.ts';

/** The two forms of LiveKit's API: Python's client speaks the first, JavaScript's the second. */
export type Encoding = 'protobuf' | 'json';

/** Who calls: a task, and its room, which is live. */
export interface Caller {
  readonly key: TaskKey;
  readonly sid: RoomSid;
  readonly roomName: string;
}

export interface ApiRequest {
  /** Why this caller may not make this call, in one line that says what it may; null: it may. */
  readonly refusalFor: (caller: Caller) => string | null;
  /** As protobuf, without anything that was not understood. */
  readonly bytes: Uint8Array;
}

export interface ApiMethod {
  /** What LiveKit wants a token to grant for it. */
  readonly grant: CallGrant;
  /** Throws for a body that is no such request. */
  read(body: Buffer, encoding: Encoding): ApiRequest;
  /** LiveKit's protobuf answer in the caller's encoding. Throws for bytes that are no such answer. */
  write(answer: Uint8Array, encoding: Encoding): Uint8Array;
}

/** Null: the caller may say this. */
export type Check<Q> = (request: Q, caller: Caller) => string | null;

/** A message of the protocol package and its class, as far as they are used here. */
interface Message {
  toBinary(): Uint8Array;
  toJson(options: { emitDefaultValues: boolean; useProtoFieldName: boolean }): unknown;
}
interface MessageClass<M> {
  fromBinary(bytes: Uint8Array, options: { readUnknownFields: boolean }): M;
  fromJson(json: unknown, options: { ignoreUnknownFields: boolean }): M;
}

export interface MethodOptions<Q, A> {
  readonly grant: CallGrant;
  readonly request: MessageClass<Q>;
  readonly answer: MessageClass<A>;
  readonly check: Check<Q>;
  /** Takes out of the answer what does not belong into a task. */
  readonly strip?: (answer: A) => void;
}

export function apiMethod<Q extends Message, A extends Message>(
  options: MethodOptions<Q, A>,
): ApiMethod {
  return {
    grant: options.grant,
    read(body, encoding) {
      const request = parse(options.request, body, encoding);
      return {
        refusalFor: (caller) => options.check(request, caller),
        bytes: request.toBinary(),
      };
    },
    write(bytes, encoding) {
      // Fields of a newer server are of use to a newer client.
      const answer = options.answer.fromBinary(bytes, { readUnknownFields: true });
      options.strip?.(answer);
      return encoding === 'protobuf' ? answer.toBinary() : Buffer.from(jsonOf(answer));
    },
  };
}

function parse<Q>(type: MessageClass<Q>, body: Buffer, encoding: Encoding): Q {
  if (encoding === 'protobuf') return type.fromBinary(body, { readUnknownFields: false });
  return type.fromJson(JSON.parse(body.toString()), { ignoreUnknownFields: true });
}

/** As LiveKit writes it: names of the protocol's own spelling, empty fields too. */
function jsonOf(answer: Message): string {
  return JSON.stringify(answer.toJson({ emitDefaultValues: true, useProtoFieldName: true }));
}
