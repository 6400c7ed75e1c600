import { describe, expect, it } from 'vitest';
import {
  type EndCause,
  endStyle,
  isCleanLeave,
  judge,
  stopReason,
  type Verdict,
} from '../../../launcher/core/verdict.ts';
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

describe('an end that an earlier launcher decided, on an engine that keeps the reason of a stop', () => {
  it.each<[EndCause, Verdict]>([
    ['operator', 'served'],
    ['never-joined', 'failed'],
    ['surplus', 'displaced'],
  ])('%s is %s, whatever the exit says', (cause, expected) => {
    for (const runner of [true, false]) {
      const decided = endStyle(cause, { runner }).verdict;
      const kept = stopReason(decided, 'why: it was ended');
      expect(verdict({ code: 143, stopReason: kept }, runner)).toEqual({
        verdict: expected,
        reason: 'why: it was ended',
      });
    }
  });

  it.each(['', 'somebody in a console', 'lingering', stopReason(null, 'it lingered')])(
    'goes by its exit with a reason that holds no verdict: "%s"',
    (kept) => {
      expect(verdict({ code: 143, stopReason: kept }, true).verdict).toBe('failed');
      expect(verdict({ code: 0, stopReason: kept }, true).verdict).toBe('served');
    },
  );
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
    ['left', 'served'],
  ])('%s is %s, whatever the exit says and whosever worker it was', (cause, expected) => {
    for (const runner of [true, false, null]) {
      for (const code of [0, 1, 64, 143, null]) {
        const judged = verdict({ code }, runner, cause);
        expect(judged).toEqual({ verdict: expected, reason: 'why it was ended' });
      }
    }
  });

  it('of a lingering task is read from its exit', () => {
    expect(verdict({ code: 0 }, true, 'lingering').verdict).toBe('served');
    expect(verdict({ code: 1 }, true, 'lingering').verdict).toBe('failed');
  });
});

function style(cause: EndCause, runner: boolean | null): string {
  const { stopAfterTerminationMs, kill = false } = endStyle(cause, { runner });
  return stopAfterTerminationMs === null
    ? 'SIGTERM'
    : `JobTermination, ${stopAfterTerminationMs} ms, ${kill ? 'SIGKILL' : 'SIGTERM'}`;
}

describe('how a task is ended', () => {
  it.each<[cause: EndCause, ofRunner: string, ofForeign: string]>([
    ['operator', 'JobTermination, 1000 ms, SIGTERM', 'JobTermination, 0 ms, SIGTERM'],
    ['max-lifetime', 'JobTermination, 1000 ms, SIGTERM', 'JobTermination, 0 ms, SIGTERM'],
    ['gone', 'JobTermination, 10000 ms, SIGTERM', 'JobTermination, 0 ms, SIGTERM'],
    ['never-started', 'SIGTERM', 'SIGTERM'],
    ['never-joined', 'SIGTERM', 'JobTermination, 10000 ms, SIGKILL'],
    ['missing', 'SIGTERM', 'JobTermination, 10000 ms, SIGKILL'],
    ['surplus', 'SIGTERM', 'JobTermination, 10000 ms, SIGKILL'],
  ])('%s: our runner %s; another worker %s', (cause, ofRunner, ofForeign) => {
    expect(style(cause, true)).toBe(ofRunner);
    expect(style(cause, false)).toBe(ofForeign);
    expect(style(cause, null)).toBe(ofForeign);
  });

  it('a foreign agent that left its room is asked to end both ways', () => {
    expect(style('left', false)).toBe('JobTermination, 0 ms, SIGTERM');
    expect([1, 4].map(isCleanLeave)).toEqual([true, true]);
    expect([0, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].filter(isCleanLeave)).toEqual([]);
  });
});
