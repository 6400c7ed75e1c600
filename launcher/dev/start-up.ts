/** Reads from a task's log how its runner spent its start. */
import { parseRecord } from './launcher-log.ts';

/**
 * `import 320 ms, dial 41 ms, …` from the runner's line about its start, in its order; null when
 * the log has none (another runner, or it did not get so far).
 */
export function startUpSplit(log: string): string | null {
  for (const line of log.split('\n')) {
    const fields = parseRecord(line)?.fields;
    if (!fields || ![fields['event'], fields['msg']].includes('runner.started')) continue;
    const parts = Object.entries(fields).flatMap(([name, ms]) => {
      const step = /^t_(.+)_ms$/.exec(name)?.[1];
      return step !== undefined && typeof ms === 'number' ? [`${step} ${Math.round(ms)} ms`] : [];
    });
    return parts.length > 0 ? parts.join(', ') : null;
  }
  return null;
}
