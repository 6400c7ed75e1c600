/**
 * One scenario, played round by round: something fails, and soon everything must be whole again.
 * The short version in CI and the long one of `npm run chaos` differ in size alone.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from '../support/cleanup.ts';
import { testImage, type TestImage } from '../support/docker-engine.ts';
import { type Report, seconds } from './figures.ts';
import { type Findings, isClean, judged } from './oracle.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

export interface Size {
  readonly rounds: number;
  /** Live rooms, about. */
  readonly rooms: number;
}

export interface Scenario {
  readonly name: string;
  readonly short: Size;
  readonly long: Size;
  /** Starts what it needs; all of it is gone with the stage's cleanup. */
  open(stage: Stage): Promise<Play>;
}

export interface Stage {
  readonly cleanup: Cleanup;
  readonly random: Random;
  readonly rooms: number;
  readonly bystander: TestImage;
  /** May do to this machine what others on it would notice. */
  readonly really: boolean;
}

export interface Play {
  readonly worlds: readonly World[];
  /** Has something fail. Rejects when what it can see of that itself is wrong. */
  round(): Promise<Deed>;
}

export interface Deed {
  readonly faults: number;
  /** What was done, in words. */
  readonly said: string;
}

export interface RunOptions {
  readonly cleanup: Cleanup;
  readonly size: Size;
  readonly seed: number;
  readonly really: boolean;
  readonly say: (line: string) => void;
  /** Folder for the launchers' logs of rounds that were long about it. */
  readonly logs: string | undefined;
}

/** All is whole again by then: two looks ten seconds apart prove that a room is over, and more. */
export const WHOLE_DEADLINE_MS = 75_000;
/** A round that takes longer is worth a look at the logs. */
const LONG_MS = 15_000;
/** Containers of one room may run side by side for one pass. */
const OVERLAP_MAX_MS = 2_000;
/** After a crash of LiveKit the earlier life's agent may come into the name's next one: two looks
 * ten seconds apart prove that its own room is over. */
const TWO_AGENTS_MAX_MS = 15_000;

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Report> {
  const { cleanup, size, seed, really, say } = options;
  const bystander = testImage();
  cleanup.defer(() => bystander.remove());
  const random = new Random(seed);
  const play = await scenario.open({ cleanup, random, rooms: size.rooms, bystander, really });
  const found = { lost: [], leaked: [], touched: [], untold: [] };
  await whole(play, 'opening', found, say);
  for (const { witness } of play.worlds) witness.begin();
  let faults = 0;
  for (let round = 1; round <= size.rounds; round += 1) {
    const deed = await play.round();
    faults += deed.faults;
    const begunMs = performance.now();
    const clean = await whole(play, `round ${round}`, found, say);
    const live = play.worlds.map(({ crowd }) => crowd.live.size).join(' + ');
    const state = clean ? 'whole' : 'NOT WHOLE';
    const tookMs = performance.now() - begunMs;
    if (tookMs > LONG_MS) await keepLogs(play, `${scenario.name}-${round}`, options.logs);
    const took = seconds(tookMs);
    say(
      `${scenario.name} ${round}/${size.rounds}: ${deed.said}; ${live} live; ${state} in ${took}`,
    );
  }
  return { name: scenario.name, seed, rounds: size.rounds, faults, ...found, ...seen(play) };
}

/** Waits until all worlds are as they must be; adds and says what is not. */
async function whole(
  { worlds }: Play,
  when: string,
  found: Record<keyof Findings, string[]>,
  say: RunOptions['say'],
): Promise<boolean> {
  const all = await Promise.all(worlds.map((world) => judged(world, WHOLE_DEADLINE_MS)));
  for (const findings of all) {
    for (const what of ['lost', 'leaked', 'touched', 'untold'] as const) {
      const lines = findings[what].map((line) => `${when}: ${what}: ${line}`);
      found[what].push(...lines);
      for (const line of lines) say(line);
    }
  }
  return all.every(isClean);
}

async function keepLogs({ worlds }: Play, round: string, folder?: string): Promise<void> {
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  const launchers = worlds.flatMap((world) => world.launchers);
  for (const [i, launcher] of launchers.entries()) {
    await writeFile(join(folder, `${round}-launcher-${i + 1}.log`), launcher.output());
  }
}

function seen({ worlds }: Play) {
  const overlapMs = Math.max(...worlds.map(({ lives }) => lives.longestOverlapMs(Date.now())));
  const twoAgentsMs = Math.max(...worlds.map(({ witness }) => witness.twoAgentsMs));
  return {
    rooms: worlds.reduce((sum, { crowd }) => sum + crowd.made, 0),
    doubled: [
      ...(twoAgentsMs > TWO_AGENTS_MAX_MS ? [`two agents for ${seconds(twoAgentsMs)}`] : []),
      ...(overlapMs > OVERLAP_MAX_MS ? [`two containers for ${seconds(overlapMs)}`] : []),
    ],
    overlapMs,
    twoAgentsMs,
    firstAgentMs: worlds.flatMap(({ witness }) => witness.firstAgentMs),
    withoutAgentMs: worlds.flatMap(({ witness }) => witness.withoutAgentMs),
  };
}
