/** Runs one story to its end, or to the first broken invariant. */
import type { Log } from '../../launcher/lib/log.ts';
import type { Violation } from './oracle.ts';
import type { Story } from './story.ts';
import { type MakeLog, SimWorld } from './world.ts';

export interface Outcome {
  readonly violation: Violation | null;
  /** When the story began, by its own clock. */
  readonly startMs: number;
  readonly steps: number;
  /** How often each fault came true. */
  readonly drawn: ReadonlyMap<string, number>;
}

/** More steps than any story needs: a loop without a pause. */
const STEPS_MAX = 400_000;
/** From the last fault until everything must be in order. */
const CALM_MS = 240_000;
/** Until nothing is remembered of rooms that are over. */
const FORGOTTEN_MS = 25 * 60_000;
const ENGINE_FORGETS_MS = 75 * 60_000;

export const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  event: () => {},
};

export async function runStory(story: Story, logOf: MakeLog = () => silent): Promise<Outcome> {
  const world: SimWorld = new SimWorld(story, logOf);
  const startMs = world.clock.nowMs();
  const advance = async (ms: number) => {
    const endMs = world.clock.nowMs() + ms;
    while (!world.oracle.violation && (await world.clock.step(endMs))) {
      world.steps += 1;
      world.oracle.check();
      if (world.steps > STEPS_MAX) world.oracle.broken('hot loop', `${world.steps} steps`);
    }
  };
  world.start();
  for (const item of story.items) world.clock.timer(item.atMs, () => world.happen(item));
  await advance(story.horizonMs + 60_000);
  await advance(CALM_MS + 2 * story.resyncMs);
  if (!world.oracle.violation) world.oracle.settled();
  world.closeRooms();
  await advance(story.engine.forgets ? ENGINE_FORGETS_MS : FORGOTTEN_MS);
  if (!world.oracle.violation) world.oracle.emptied();
  for (const process of world.processes) if (process.alive) process.kill();
  return {
    violation: world.oracle.violation,
    startMs,
    steps: world.steps,
    drawn: world.faults.drawn,
  };
}
