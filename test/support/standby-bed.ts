/** What a launcher's warm pool shows on the Docker engine. */
import type { TaskRow } from '../../launcher/admin/ports.ts';
import { type DockerBed, runningNames } from './docker-bed.ts';
import { docker } from './docker-engine.ts';
import { served, type Served } from './served.ts';
import { waitFor } from './wait.ts';

/** Standbys are started one after another, and LiveKit's own wait five seconds more. */
const READY_MS = 90_000;
const SERVED_MS = 90_000;

type LauncherOf = Pick<DockerBed, 'launcher'>;

/** Standbys without a room, as `/api/tasks` shows them. */
export async function standbys({ launcher }: LauncherOf): Promise<TaskRow[]> {
  return (await launcher.tasks()).filter(({ standby }) => standby !== null);
}

/** Waits until at least so many standbys can take a room; gives the keys of all that can. */
export function readyStandbys(bed: LauncherOf, count: number): Promise<string[]> {
  const look = async () => {
    const all = await standbys(bed);
    const ready = all.flatMap(({ key, standby }) => (key && standby === 'ready' ? [key] : []));
    if (ready.length < count) throw new Error(all.map((row) => `${row.key} ${row.standby}`).join());
    return ready;
  };
  return waitFor(`${count} standbys to be ready`, look, READY_MS);
}

/** Waits until just these tasks and `count` standbys run, all of them ready; gives their keys. */
export function poolFull(
  bed: DockerBed,
  count: number,
  tasks: readonly string[] = [],
): Promise<string[]> {
  const look = async () => {
    const all = await standbys(bed);
    const ready = all.flatMap(({ key, standby }) => (key && standby === 'ready' ? [key] : []));
    const running = (await runningNames(bed)).toSorted();
    const wanted = [...ready, ...tasks].map((key) => `${bed.deployment}.${key}`).toSorted();
    if (ready.length === count && running.join() === wanted.join()) return ready;
    throw new Error(`running: ${running.join()}; ready: ${ready.join()}`);
  };
  return waitFor(`${count} standbys, and no container beside ${tasks.join()}`, look, READY_MS);
}

/** Waits until the room has one agent, whose container runs: one that LiveKit misses yet is none. */
export function servedAlive(bed: DockerBed, name: string): Promise<Served> {
  const look = async () => {
    const seen = await served(bed, name);
    const { State } = await docker.getContainer(`${bed.deployment}.${seen.key}`).inspect();
    return State.Running ? seen : null;
  };
  return waitFor(`a live container to serve ${name}`, look, SERVED_MS);
}

export function isStandby(key: string): boolean {
  return key.startsWith('s-');
}
