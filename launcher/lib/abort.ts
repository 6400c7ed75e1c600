/** Bounding work: by a caller's signal where it cannot be interrupted itself, or in time. */
import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.ts';

/** Runs work with a signal that aborts after `timeoutMs` by `clock`; settles as the work does. */
export async function within<T>(
  clock: Clock,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const cancel = clock.timer(timeoutMs, () =>
    late.abort(new Error(`no answer within ${timeoutMs / 1_000} s`)),
  );
  try {
    return await work(late.signal);
  } finally {
    cancel();
  }
}

/** Resolves when the signal aborts; at once if it has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Settles with the work, or rejects with the signal's reason on an abort; the work may go on. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    settled.abort();
  }
}

/**
 * Runs work with a signal that aborts as soon as one of these does. Leaves nothing at signals that
 * live on, as `AbortSignal.any` does.
 */
export async function withAny<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Any number of works can be under one signal at a time, and none stays: it is no leak.
  setMaxListeners(0, ...signals);
  const any = new AbortController();
  const abort = () => any.abort(signals.find(({ aborted }) => aborted)?.reason);
  for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
  if (signals.some(({ aborted }) => aborted)) abort();
  try {
    return await work(any.signal);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  }
}
