import { expect, test } from 'vitest';
import { UsageSampler } from '../../../launcher/admin/dashboard/usage.ts';
import type { TaskRow, Usage } from '../../../launcher/admin/ports.ts';
import { parseStat, residentBytes } from '../../../launcher/drivers/process/usage.ts';
import { usageOf } from '../../../launcher/drivers/docker/usage.ts';
import type { TaskId } from '../../../launcher/driver.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { RecordedLog } from '../../fakes/log.ts';

test('two looks make a share of a core; an engine that is away makes none', async () => {
  const clock = new FakeClock();
  const end = new AbortController();
  const task = { key: 'r-RM_1-1', taskId: 'c1', phase: 'running' } as TaskRow;
  const asked: (readonly string[])[] = [];
  const answers: (Usage[] | Error)[] = [
    [{ taskId: 'c1', cpuSeconds: 1, memoryBytes: 2 ** 20 }],
    [{ taskId: 'c1', cpuSeconds: 2.5, memoryBytes: 2 ** 21 }],
    new Error('away'),
  ];
  const sampler = new UsageSampler({
    look: async (ids) => {
      asked.push(ids);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? [];
    },
    tasks: () => [task, { ...task, key: null, taskId: 'damaged' }, { ...task, phase: 'ended' }],
    clock,
    log: new RecordedLog(),
  });
  const seen: unknown[] = [];
  const run = sampler.run(() => {
    seen.push(sampler.words);
    if (seen.length === 3) end.abort();
  }, end.signal);
  for (let i = 0; i < 2; i += 1) {
    while (seen.length === i) await Promise.resolve();
    await clock.advance(3_000);
  }
  await run;
  expect(asked[0]).toEqual(['c1']);
  expect(seen).toEqual([{ 'r-RM_1-1': ['', '1 MiB'] }, { 'r-RM_1-1': ['50 %', '2 MiB'] }, {}]);
});

test("Docker's counters, of cgroup version 1 and 2, without the cache", () => {
  const id = 'c1' as TaskId;
  const cpu_stats = { cpu_usage: { total_usage: 1.5e9 } };
  const of = (stats: object) => usageOf(id, { cpu_stats, memory_stats: { usage: 100, stats } });
  const used = { taskId: id, cpuSeconds: 1.5 };
  expect(of({ inactive_file: 30 })).toEqual({ ...used, memoryBytes: 70 });
  expect(of({ total_inactive_file: 40, inactive_file: 1 })).toEqual({ ...used, memoryBytes: 60 });
  expect(usageOf(id, { cpu_stats: {}, memory_stats: {} })).toBeNull();
  expect(usageOf(id, null)).toBeNull();
});

test("Linux's counters of a process, whatever its name is", () => {
  const stat = '42 (a) b (c) S 1 40 40 0 -1 4194560 100 0 0 0 150 50 20 30 20 0 11 0 12345';
  expect(parseStat(stat)).toEqual({ group: 40, cpuSeconds: 2.5 });
  expect(parseStat('')).toEqual({ group: -1, cpuSeconds: 0 });
  expect(residentBytes('Name:\tnode\nVmRSS:\t   2048 kB\n')).toBe(2 ** 21);
  expect(residentBytes('')).toBe(0);
});
