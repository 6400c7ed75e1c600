/** What the gateway's tests share: a scripted host, a log that remembers, and a task's identity. */
import { Room } from '@livekit/protocol';
import { roomKey } from '../../../launcher/core/key.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';
import type { TaskKey } from '../../../launcher/driver.ts';
import type {
  Admission,
  GatewayHost,
  JobOffer,
  Look,
  SocketChange,
  TaskRoom,
} from '../../../launcher/gateway/ports.ts';
import type { Fields, Log } from '../../../launcher/lib/log.ts';

export const SID = 'RM_abc' as RoomSid;
export const KEY = roomKey(SID, 1);
export const JOB_ID = `AJ_${KEY}`;
export const ROOM_NAME = 'the-secret-name-of-a-room';

export const OFFER: JobOffer = {
  sid: SID,
  room: new Room({ sid: SID, name: ROOM_NAME, turnPassword: 'turn-password' }),
  agentName: 'greeter',
  dispatchId: 'AD_1',
  metadata: 'for the agent',
};

export const offer: Look = { decision: 'offer', job: OFFER };
export const wait: Look = { decision: 'wait', reason: 'LiveKit does not answer' };
export const gone: Look = { decision: 'gone', reason: 'the room is over' };
export const idle: Look = { decision: 'idle', reason: 'a standby that no room has' };
export const serving: Look = { decision: 'serving', sid: SID };

/** A host that answers looks from a script; its last line repeats. */
export class ScriptedHost implements GatewayHost {
  admission: Admission = { answer: 'welcome' };
  looks: (Look | Error | Promise<Look>)[] = [offer];
  looked = 0;
  aborted = 0;
  room: TaskRoom | Promise<TaskRoom> = { answer: 'live', sid: SID, name: ROOM_NAME };
  readonly changes: string[] = [];

  admit(): Admission {
    return this.admission;
  }

  async look(_key: TaskKey, signal: AbortSignal): Promise<Look> {
    signal.addEventListener('abort', () => this.aborted++);
    const answer = this.looks[Math.min(this.looked++, this.looks.length - 1)];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no script');
    return answer;
  }

  async roomOf(): Promise<TaskRoom> {
    return this.room;
  }

  changed(key: TaskKey, change: SocketChange): void {
    this.changes.push(`${change} ${key}`);
  }
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Fields;
}

export class RecordingLog implements Log {
  readonly lines: LogLine[] = [];
  debug(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'debug', message, fields });
  }
  info(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'info', message, fields });
  }
  warn(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'warn', message, fields });
  }
  error(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'error', message, fields });
  }
  event(name: string, fields: Fields, level = 'info'): void {
    this.lines.push({ level, message: name, fields });
  }
  of(level: string): LogLine[] {
    return this.lines.filter((line) => line.level === level);
  }
}

/** A promise that the test settles. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: ((value: T) => void) | undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve: (value) => resolve?.(value) };
}
