/**
 * Makes a screenshot's PNG small: 256 of its most frequent colours as a palette, the others as
 * the nearest of them. Reads what Chromium writes: eight bits of RGB or RGBA a pixel, not interlaced.
 * See the PNG specification, 4.1 (chunks) and 9 (filters).
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const COLOURS_MAX = 256;

/**
 * @param {Buffer} png
 * @returns {Buffer}
 */
export function shrunk(png) {
  const { width, height, colours } = decoded(png);
  const counts = new Map();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = paletteOf(counts);
  const index = new Map(palette.map((colour, i) => [colour, i]));
  for (const colour of counts.keys()) {
    if (!index.has(colour)) index.set(colour, nearest(colour, palette));
  }
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      lines[y * (width + 1) + 1 + x] = index.get(colours[y * width + x]);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8);
  const table = Buffer.from(palette.flatMap((colour) => bytesOf(colour)));
  const data = deflateSync(lines, { level: 9 });
  const chunks = [chunk('IHDR', head), chunk('PLTE', table), chunk('IDAT', data)];
  return Buffer.concat([SIGNATURE, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** The most frequent ones, of which no two are so close that an eye takes them for one. */
function paletteOf(counts) {
  const groups = new Set();
  const distinct = [...counts.keys()]
    .toSorted((a, b) => counts.get(b) - counts.get(a))
    .filter((colour) => {
      const group = colour & 0xf8f8f8;
      return !groups.has(group) && groups.add(group);
    });
  return distinct.slice(0, COLOURS_MAX);
}

/** Colours as 24-bit numbers, row by row. */
function decoded(png) {
  const data = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const body = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(body);
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const size = png[25] === 6 ? 4 : 3;
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * size;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const left = x < size ? 0 : pixels[y * stride + x - size];
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + x];
      const corner = x < size || y === 0 ? 0 : pixels[(y - 1) * stride + x - size];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  const colours = new Uint32Array(width * height);
  for (let i = 0; i < colours.length; i += 1) colours[i] = pixels.readUIntBE(i * size, 3);
  return { width, height, colours };
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function bytesOf(colour) {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function nearest(colour, palette) {
  const wanted = bytesOf(colour);
  let [best, least] = [0, Infinity];
  for (const [i, each] of palette.entries()) {
    const off = bytesOf(each).reduce((sum, byte, k) => sum + (byte - wanted[k]) ** 2, 0);
    if (off < least) [best, least] = [i, off];
  }
  return best;
}

function chunk(name, body) {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([size, named, check]);
}
