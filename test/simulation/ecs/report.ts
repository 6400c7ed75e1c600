/** Runs the scenarios and prints their figures as the tables of the documentation. */
import { type Burst, burst, type Ends, ends, type FullPass, fullPass } from './scenarios.ts';

const ROOMS = 1_000;
const MINUTE_MS = 60_000;

/** Prints each table as soon as it is there. */
export async function report(say: (line: string) => void): Promise<void> {
  say(`${ROOMS} rooms on ECS at an account's default rates, with a quota of ${ROOMS} vCPUs\n`);
  say(row(['rooms start', 'RunTask', 'accepted', 'last launch', 'quota', 'waits', 'served']));
  say(row(Array.from({ length: 7 }, () => '---')));
  const options = { rooms: ROOMS, withinMs: MINUTE_MS };
  const kill = { atMs: 25_000, downMs: 5_000 };
  say(burstRow('within a minute', await burst(options)));
  say(burstRow('the same, without hints', await burst({ ...options, hints: false })));
  say(burstRow('within ten seconds', await burst({ ...options, withinMs: 10_000 })));
  say(burstRow('launcher killed at 25 s', await burst({ ...options, kill })));
  say(`\n${row(['full pass', 'ListTasks', 'DescribeTasks', 'took'])}`);
  say(row(['---', '---', '---', '---']));
  for (const tasks of [1_000, 10_000]) say(passRow(await fullPass(tasks)));
  say(`\n${row(['rooms end within 5 s', 'new rooms', 'StopTask', 'launched', 'all ended'])}`);
  say(row(['---', '---', '---', '---', '---']));
  say(endsRow('our runner', await ends(ROOMS, 100)));
  say(endsRow("LiveKit's workers", await ends(ROOMS, 100, { runner: false })));
}

function burstRow(name: string, { launches, quotaMs, waitMs, served, rooms, tasks }: Burst) {
  const { attempted, accepted, lastMs } = launches;
  return row([
    name,
    `${attempted}`,
    `${((100 * accepted) / attempted).toFixed(1)} %`,
    seconds(lastMs),
    `${seconds(quotaMs)} (${(lastMs / quotaMs).toFixed(2)}x)`,
    `${seconds(waitMs.median)}, at most ${seconds(waitMs.longest)}`,
    `${served} of ${rooms} by ${tasks} tasks`,
  ]);
}

function passRow({ tasks, calls, tookMs }: FullPass): string {
  const { ListTasks = 0, DescribeTasks = 0 } = calls;
  return row([`${tasks} tasks`, `${ListTasks}`, `${DescribeTasks}`, seconds(tookMs)]);
}

function endsRow(name: string, { rooms, fresh, calls, ...after }: Ends): string {
  return row([
    `${rooms} of ${name}`,
    `${fresh} within 10 s`,
    `${calls['StopTask'] ?? 0}`,
    `${seconds(after.launchedAfterMs)} after the last start`,
    `${seconds(after.endedAfterMs)} after the last end`,
  ]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
