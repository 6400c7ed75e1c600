import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { withAny } from '../../launcher/lib/abort.ts';

it('aborts the work with the reason of whichever signal aborts', async () => {
  const [long, short] = [new AbortController(), new AbortController()];
  const reason = withAny(
    [long.signal, short.signal],
    (signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason))),
  );
  short.abort('late');
  expect(await reason).toBe('late');
  expect(await withAny([long.signal, short.signal], async (signal) => signal.reason)).toBe('late');
});

it('leaves nothing at signals that live on, also when the work fails', async () => {
  const long = new AbortController();
  await withAny([long.signal], async () => {
    expect(getEventListeners(long.signal, 'abort')).toHaveLength(1);
  });
  const failing = withAny([long.signal], () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(getEventListeners(long.signal, 'abort')).toEqual([]);
});
