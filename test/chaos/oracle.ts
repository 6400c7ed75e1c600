/**
 * What must be true soon after any failure, seen from outside the launcher: every live room has
 * exactly one agent, no container is without a live room, nothing of others was touched, and the
 * events tell the story.
 */
import { agentsIn, isActive } from '../support/served.ts';
import { delay, systemClock } from '../../launcher/lib/clock.ts';
import { docker } from '../support/docker-engine.ts';
import type { World } from './world.ts';

const LOOK_AGAIN_MS = 250;

export interface Findings {
  /** Live rooms without exactly one agent in one container. */
  readonly lost: readonly string[];
  /** Containers that run and whose room is not live, or that are one too many. */
  readonly leaked: readonly string[];
  /** What is not ours and is not as it was. */
  readonly touched: readonly string[];
  readonly untold: readonly string[];
}

export function isClean(findings: Findings): boolean {
  return Object.values(findings).every((each: readonly string[]) => each.length === 0);
}

/** Looks until all is as it must be, or until `deadlineMs` have passed: the last look then. */
export async function judged(world: World, deadlineMs: number): Promise<Findings> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const findings = await look(world).catch(unreadable);
    if (isClean(findings) || performance.now() > endMs) return findings;
    await delay(systemClock, LOOK_AGAIN_MS);
  }
}

function unreadable(error: unknown): Findings {
  return { lost: [`could not look: ${String(error)}`], leaked: [], touched: [], untold: [] };
}

async function look(world: World): Promise<Findings> {
  const { rooms, crowd, stopped, story, launchers, lives } = world;
  const listed = await rooms.listRooms();
  const running = await runningKeys(world.deployment);
  const rows =
    (await launchers
      .at(-1)
      ?.rooms()
      .catch(() => [])) ?? [];
  const missing = crowd
    .names()
    .filter((name) => !listed.some((room) => room.name === name))
    .map((name) => `LiveKit does not list ${name}`);
  const wrong = await Promise.all(
    listed.map(async ({ name, sid }) => {
      const keys = running.filter((key) => key.startsWith(`r-${sid}-`));
      const agents = await agentsIn(world, name);
      if (stopped.has(sid)) return keys.length === 0 ? [] : [`${sid} was stopped: ${keys.join()}`];
      const [agent] = agents;
      const served =
        agents.length === 1 &&
        keys.length === 1 &&
        agent?.identity === `agent-${sid}` &&
        isActive(agent) &&
        agent.attributes['room-launcher.task'] === keys[0];
      const seen = `agents [${agents.map(({ identity }) => identity).join()}]`;
      const why = rows.find((row) => row.sid === sid)?.reason ?? 'unknown to the launcher';
      return served ? [] : [`${name} ${sid}: ${seen}, containers [${keys.join()}]: ${why}`];
    }),
  );
  const sids = new Set(listed.map(({ sid }) => sid));
  return {
    lost: [...missing, ...wrong.flat()],
    leaked: running.filter((key) => !sids.has(key.replace(/^r-|-\d+$/g, ''))),
    touched: await world.touched(),
    untold: story.untold(launchers, lives.all()),
  };
}

async function runningKeys(deployment: string): Promise<string[]> {
  const filters = { label: [`room-launcher.deployment=${deployment}`] };
  const rows = await docker.listContainers({ filters });
  return rows.map(({ Labels }) => Labels['room-launcher.key'] ?? 'without a key');
}
