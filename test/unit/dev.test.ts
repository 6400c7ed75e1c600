/** What the demo shows and reads: timelines, progress, the launcher's log, waits. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readLauncherLog } from '../../launcher/dev/launcher-log.ts';
import { createProgress, waitingFor } from '../../launcher/dev/progress.ts';
import { startUpSplit } from '../../launcher/dev/start-up.ts';
import {
  median,
  renderTimeline,
  renderTimelines,
  STEPS,
  type Marks,
} from '../../launcher/dev/timeline.ts';
import { atMost, poll, StepFailed, until } from '../../launcher/dev/wait.ts';
import { systemClock } from '../../launcher/lib/clock.ts';

const marksFrom = (startMs: number, stepMs: number): Marks =>
  Object.fromEntries(STEPS.map((step, index) => [step, startMs + (index - 1) * stepMs]));

/** Which of the steps of one way a table of these rooms has. */
const ofOneWay = (...all: Marks[]) => {
  const text = renderTimelines(all.map((marks) => ({ room: 'demo', marks })));
  return ['standby', 'launch', 'registered'].filter((name) => text.includes(name));
};

const record = (isTTY: boolean) => {
  const written: string[] = [];
  return { written, terminal: { isTTY, write: (text: string) => written.push(text) } };
};

const logLine = (fields: object) =>
  `${JSON.stringify({ level: 'info', time: '2026-01-02T03:04:05.678Z', ...fields })}\n`;

describe('timeline', () => {
  it('lists one room, in ms since its creation, with the exit code', () => {
    const text = renderTimeline({ room: 'demo-1', marks: marksFrom(1_000, 7), exitCode: 0 });
    expect(text).toMatch(/^ {2}room created +0 ms$/m);
    expect(text).toMatch(/^ {2}webhook +7 ms$/m);
    expect(text).toMatch(/^ {2}task ended \(code 0\) +70 ms$/m);
  });

  it('shows a step that was not seen as a dash', () => {
    const text = renderTimeline({ room: 'demo-1', marks: { 'room created': 5, greeted: 9 } });
    expect(text).toMatch(/^ {2}webhook +-$/m);
    expect(text).toMatch(/^ {2}greeted +4 ms$/m);
  });

  it('puts many rooms in one table, with median, least and most', () => {
    const timelines = [10, 30, 20].map((stepMs, index) => ({
      room: `demo-${index + 1}`,
      marks: marksFrom(index * 500, stepMs),
    }));
    const rows = renderTimelines(timelines).split('\n');
    const row = (name: string) =>
      rows
        .find((line) => line.trim().startsWith(`${name} `))
        ?.trim()
        .split(/ +/);
    expect(row('demo-2')?.slice(1, 4)).toEqual(['-30', '0', '30']);
    expect(row('median')?.slice(1, 4)).toEqual(['-20', '0', '20']);
    expect(row('min')?.at(-1)).toBe('100');
    expect(row('max')?.at(-1)).toBe('300');
    expect(new Set(rows.slice(1).map((line) => line.length)).size).toBe(1);
  });

  it('leaves out the steps of a way that no room took', () => {
    const cold = { 'room created': 5, 'launch accepted': 6, 'task registered': 7 };
    const warm = { 'standby ready': 1, 'room created': 5 };
    expect(ofOneWay(cold, cold)).toEqual(['launch', 'registered']);
    expect(ofOneWay(warm, warm)).toEqual(['standby']);
    expect(ofOneWay(cold, warm)).toEqual(['standby', 'launch', 'registered']);
    expect(renderTimeline({ room: 'demo', marks: warm })).toMatch(/^ {2}standby ready +-4 ms$/m);
    expect(renderTimeline({ room: 'demo', marks: warm })).not.toContain('launch');
  });

  it('takes the middle, or the mean of the two middle ones', () => {
    expect([[], [4], [4, 6], [1, 2, 9]].map((sorted) => median(sorted))).toEqual([
      undefined,
      4,
      5,
      2,
    ]);
  });
});

describe('progress', () => {
  let nowMs = 0;

  it('rewrites its line on a terminal and takes it away', () => {
    const { written, terminal } = record(true);
    const progress = createProgress(terminal, { ...systemClock, nowMs: () => nowMs });
    progress.show('one');
    progress.show('two');
    progress.clear();
    expect(written).toEqual(['\r\u001B[2Kone', '\r\u001B[2Ktwo', '\r\u001B[2K']);
  });

  it('writes whole lines elsewhere, each once, and not more than one a second', () => {
    const { written, terminal } = record(false);
    const progress = createProgress(terminal, { ...systemClock, nowMs: () => nowMs });
    for (const text of ['one', 'one', 'two', 'three']) {
      progress.show(text);
      nowMs += 600;
    }
    progress.clear();
    expect(written).toEqual(['one\n', 'two\n']);
  });

  it('says what most rooms wait for', () => {
    expect(waitingFor(new Map([['a', 'the agent']]))).toBe('waiting for the agent');
    const three = new Map([
      ['a', 'the echo'],
      ['b', 'the agent'],
      ['c', 'the agent'],
    ]);
    expect(waitingFor(three)).toBe('waiting for the agent: 2 of 3 rooms');
  });
});

describe('launcher log', () => {
  it('finds past events, waits for future ones, and dates them', async () => {
    const stream = new PassThrough();
    const copied: string[] = [];
    const log = readLauncherLog([stream], (text) => copied.push(text));
    const isEnd = log.next(({ event }) => event === 'task.end');
    stream.write(logLine({ event: 'task.launch', task: 'a' }));
    stream.write(logLine({ event: 'task.end', task: 'a', code: 0 }));
    const end = await isEnd;
    expect(end.timeMs).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    expect(end.fields['code']).toBe(0);
    expect(log.find(({ event }) => event === 'task.launch')?.fields['task']).toBe('a');
    expect((await log.next(({ event }) => event === 'task.launch')).fields['task']).toBe('a');
    expect(copied).toHaveLength(2);
  });

  it('keeps what people need to see when something fails, and no more', async () => {
    const stream = new PassThrough();
    const log = readLauncherLog([stream], () => {});
    for (let index = 0; index < 30; index++) stream.write(logLine({ event: 'pass.run', index }));
    stream.write(logLine({ msg: 'chatter' }));
    stream.write('plain text\n');
    stream.write(logLine({ event: 'task.end' }));
    await log.next(({ event }) => event === 'task.end');
    expect(log.tail()).toHaveLength(12);
    expect(log.tail().at(-2)).toBe('plain text');
    expect(log.tail().join('\n')).not.toContain('chatter');
  });

  it("reads the runner's start-up split between other lines", () => {
    const log = [
      'noise',
      logLine({ msg: 'other', t_x_ms: 1 }).trim(),
      JSON.stringify({ time: 1, msg: 'runner.started', t_imported_ms: 320.4, t_dial_ms: 41, n: 2 }),
    ].join('\n');
    expect(startUpSplit(log)).toBe('imported 320 ms, dial 41 ms');
    expect(startUpSplit('noise\n')).toBeNull();
  });
});

describe('waits', () => {
  const forever = new Promise<never>(() => {});
  const wait = (more: { signal?: AbortSignal; trouble?: Promise<never> } = {}) => ({
    clock: systemClock,
    signal: new AbortController().signal,
    trouble: forever,
    ...more,
  });

  it('names the step that did not come in time', async () => {
    const late = until('the greeting', forever, 5, wait());
    await expect(late).rejects.toMatchObject({
      name: 'StepFailed',
      step: 'the greeting',
      message: 'did not happen within 0.005 s',
    });
  });

  it('ends at once on trouble and on an abort', async () => {
    const trouble = Promise.reject(new StepFailed('launcher', 'it ended with code 1'));
    await expect(until('x', forever, 60_000, wait({ trouble }))).rejects.toThrow('code 1');
    const abort = new AbortController();
    const waiting = until('x', forever, 60_000, wait({ signal: abort.signal }));
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('waits no longer than its limit, and not that long', async () => {
    await atMost(5, forever, systemClock);
    await atMost(60_000, Promise.resolve(), systemClock);
    const failing = Promise.reject(new Error('why'));
    await expect(atMost(60_000, failing, systemClock)).rejects.toThrow('why');
  });

  it('polls until true, the deadline, or an abort', async () => {
    const timing = { pollMs: 1, deadlineMs: 20, clock: systemClock };
    let asked = 0;
    expect(await poll(async () => ++asked === 3, timing)).toBe(true);
    expect(await poll(async () => false, timing)).toBe(false);
    expect(
      await poll(async () => false, { ...timing, deadlineMs: 60_000 }, AbortSignal.abort()),
    ).toBe(false);
  });
});
