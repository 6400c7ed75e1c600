import { describe, expect, it } from 'vitest';
import { type EndCause, judge, type Verdict } from '../../../launcher/core/verdict.ts';
import type { Exit } from '../../../launcher/driver.ts';
import { task } from './plan-world.ts';

function verdict(exit: Partial<Exit>, runner: boolean | null, cause: EndCause | null = null) {
  const whole: Exit = { code: null, oomKilled: false, detail: '', ...exit };
  return judge(task(1, 'ended', { runner, exit: whole }), cause, 'why it was ended');
}

describe('an end that nobody of ours asked for', () => {
  it.each<[code: number | null, ofRunner: Verdict, ofForeign: Verdict]>([
    [0, 'served', 'unreadable'],
    [1, 'failed', 'failed'],
    [64, 'fatal', 'failed'],
    [75, 'failed', 'failed'],
    [76, 'displaced', 'failed'],
    [137, 'failed', 'failed'],
    [143, 'failed', 'unreadable'],
    [null, 'failed', 'unreadable'],
  ])('exit %s: %s for our runner, %s for another', (code, ofRunner, ofForeign) => {
    expect(verdict({ code }, true).verdict).toBe(ofRunner);
    expect(verdict({ code }, false).verdict).toBe(ofForeign);
    expect(verdict({ code }, null).verdict).toBe(ofForeign);
  });

  it.each([true, false, null])('out of memory is a failure (runner: %s)', (runner) => {
    const judged = verdict({ code: 0, oomKilled: true }, runner);
    expect(judged).toEqual({ verdict: 'failed', reason: 'killed: out of memory' });
  });

  it.each([1, 64, 75, 137])('exit %s: the reason has the code and the engine’s words', (code) => {
    const { reason } = verdict({ code, detail: 'its log is /tasks/log' }, true);
    expect(reason).toContain(`exit ${code}`);
    expect(reason).toContain('its log is /tasks/log');
    expect(verdict({ code }, true).reason).toMatch(/exit \d+/);
  });

  it('an exit that the engine does not tell of is lost, which is not success', () => {
    expect(judge(task(1, 'ended'), null).verdict).toBe('failed');
  });
});

describe('an end that this launcher decided', () => {
  it.each<[EndCause, Verdict]>([
    ['operator', 'served'],
    ['max-lifetime', 'served'],
    ['gone', 'served'],
    ['never-started', 'failed'],
    ['never-joined', 'failed'],
    ['missing', 'failed'],
    ['surplus', 'displaced'],
  ])('%s is %s, whatever the exit says', (cause, expected) => {
    for (const code of [0, 1, 64, 143, null]) {
      const judged = verdict({ code }, true, cause);
      expect(judged).toEqual({ verdict: expected, reason: 'why it was ended' });
    }
  });

  it('of a lingering task is read from its exit', () => {
    expect(verdict({ code: 0 }, true, 'lingering').verdict).toBe('served');
    expect(verdict({ code: 1 }, true, 'lingering').verdict).toBe('failed');
  });
});
