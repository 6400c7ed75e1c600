/** Waiting with a limit: an end that hangs must not hold the process, and one that fails goes on. */
import { type RunnerLog, thrown } from './log.ts';

/**
 * Runs `work` and waits for it at most `limitMs`. True when it succeeded in time; else the failure
 * or the limit is logged under `what`. Never rejects.
 */
export async function bounded(
  what: string,
  limitMs: number,
  log: RunnerLog,
  work: () => unknown,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, limitMs, 'late');
  });
  try {
    const result = await Promise.race([
      Promise.resolve()
        .then(work)
        .then(() => 'done'),
      limit,
    ]);
    if (result === 'late') log.warn(`${what} took longer than its limit`, { limit_ms: limitMs });
    return result === 'done';
  } catch (error) {
    log.error(`${what} failed`, thrown(error));
    return false;
  } finally {
    clearTimeout(timer);
  }
}
