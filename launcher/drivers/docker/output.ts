/**
 * `logs` of the Docker engine. It sends what a container wrote in frames, each of one of its two
 * streams: eight bytes (stream, three zeros, length as a big-endian number), then the text's bytes.
 */
import type { LogsOptions, Output, TaskId } from '../../driver.ts';
import type { Engine } from './calls.ts';
import { ours } from './end.ts';

/** Bytes in pieces that are cut anywhere. */
export type Frames = AsyncIterable<Uint8Array>;

const HEAD_LENGTH = 8;
const LENGTH_AT = 4;
const STREAMS = [0, 1, 2] as const;

/** The contract's `logs`; `errorOf` makes an error in the middle of it the contract's own. */
export async function logs(
  engine: Engine,
  deployment: string,
  taskId: TaskId,
  options: LogsOptions,
  signal: AbortSignal,
  errorOf: (error: unknown) => Error,
): Promise<Output | null> {
  if ((await ours(engine, deployment, taskId, signal)) === null) return null;
  const frames = await engine.logs(taskId, options, signal);
  return frames && untilAborted(textOf(frames), signal, errorOf);
}

async function* untilAborted(
  text: Output,
  signal: AbortSignal,
  errorOf: (error: unknown) => Error,
): Output {
  try {
    yield* text;
  } catch (error) {
    if (!signal.aborted) throw errorOf(error);
  }
}

/**
 * The text of frames, in their order. Memory holds one piece as it came and one frame's head: how
 * long a frame says it is costs nothing.
 */
export async function* textOf(frames: Frames): Output {
  const decoders = STREAMS.map(() => new TextDecoder());
  let decoder = decoders[0];
  let head = new Uint8Array();
  let left = 0;
  for await (const piece of frames) {
    let rest = piece;
    while (rest.length > 0) {
      if (left === 0) {
        const missing = HEAD_LENGTH - head.length;
        head = Uint8Array.from([...head, ...rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (head.length < HEAD_LENGTH) break;
        decoder = decoders[head[0] ?? 0] ?? decoders[0];
        left = new DataView(head.buffer).getUint32(LENGTH_AT);
        head = new Uint8Array();
      }
      const text = decoder?.decode(rest.subarray(0, left), { stream: true });
      const taken = Math.min(left, rest.length);
      left -= taken;
      rest = rest.subarray(taken);
      if (text) yield text;
    }
  }
}
