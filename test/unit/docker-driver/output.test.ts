import { expect, it } from 'vitest';
import { textOf } from '../../../launcher/drivers/docker/output.ts';

function frame(stream: number, bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

async function textIn(bytes: Uint8Array, pieceLength: number): Promise<string> {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceLength)
      yield bytes.subarray(at, at + pieceLength);
  }
  let text = '';
  for await (const piece of textOf(pieces())) text += piece;
  return text;
}

// A letter of two bytes is cut by a frame of its own stream, with one of the other in between.
const letter = Buffer.from('ü');
const frames = Buffer.concat([
  frame(1, Buffer.from('eins\n')),
  frame(1, letter.subarray(0, 1)),
  frame(2, Buffer.from('zwei ß\n')),
  frame(1, letter.subarray(1)),
  frame(2, Buffer.alloc(0)),
  frame(1, Buffer.from('\n')),
]);

it.each([1, 2, 3, 7, 8, 9, 1_000])('frames that come in pieces of %i bytes', async (length) => {
  expect(await textIn(frames, length)).toBe('eins\nzwei ß\nü\n');
});

it('a frame that is cut off gives what came of it', async () => {
  expect(await textIn(frame(1, Buffer.from('abc')).subarray(0, 10), 4)).toBe('ab');
});

it('bytes that are no text are shown as such, and of streams unknown', async () => {
  expect(await textIn(frame(7, Uint8Array.of(0x61, 0xff, 0x62)), 5)).toBe('a\ufffdb');
});
