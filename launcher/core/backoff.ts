/** How long to wait before trying again: exponential, capped, spread by a jitter that is a function
 * of what is tried, so that a plan stays a pure function and two launchers agree. */

const BASE_MS = 500;
const CAP_MS = 30_000;
const SPREAD = 0.2;

/** 0.5 s, 1 s, 2 s … 30 s, each ±20 %. `failures` counts from 1; `of` is what is tried (a key). */
export function backoffMs(failures: number, of: string): number {
  const step = Math.min(BASE_MS * 2 ** Math.min(failures - 1, 16), CAP_MS);
  return Math.round(step * (1 + SPREAD * jitter(`${of}/${failures}`)));
}

/** A number in [-1, 1) that depends on the text alone (FNV-1a). */
function jitter(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return ((hash >>> 0) / 2 ** 32) * 2 - 1;
}
