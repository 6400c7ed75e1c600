/** Gauges of what there is now, set from what the admin listener shows, at each scrape. */
import { Gauge, type Registry } from 'prom-client';
import type { AdminHost, PartState, RoomRow, TaskRow } from '../admin/ports.ts';
import { parseStandbyKey } from '../core/key.ts';
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import { kindOfTask, oneOf, PHASES, profileLabel, STATES, TASK_KINDS } from './metrics-labels.ts';
import type { Unserved } from './unserved.ts';

/** What the gauges are set from. */
export type Shown = Pick<AdminHost, 'ready' | 'rooms' | 'tasks'>;

export interface WantedStandbys {
  readonly name: string;
  readonly standby?: number;
}

export interface StateParts {
  readonly profiles: readonly WantedStandbys[];
  readonly unserved: Unserved;
  readonly clock: Clock;
}

const SOCKETS = ['connecting', 'waiting', 'offered', 'assigned', 'ended'];

/** Makes the gauges of this registry; what is returned sets them. */
export function stateMetrics(registry: Registry, parts: StateParts): (shown: Shown) => void {
  const gauges = makeGauges(registry);
  const names = parts.profiles.map(({ name }) => name);
  for (const { name, standby = 0 } of parts.profiles) {
    gauges.standbysWanted.set({ profile: name }, standby);
  }
  return (shown) => {
    const rooms = shown.rooms();
    const tasks = shown.tasks();
    const { ready, livekit, engine } = shown.ready();
    gauges.ready.set(ready ? 1 : 0);
    gauges.up.set({ dependency: 'livekit' }, isUp(livekit));
    gauges.up.set({ dependency: 'engine' }, isUp(engine));
    setRooms(gauges, names, rooms);
    setTasks(gauges, names, tasks);
    const sinceMs = parts.unserved.longestSinceMs(new Set(rooms.map(({ sid }) => sid)));
    const waitedMs = sinceMs === null ? 0 : parts.clock.nowMs() - sinceMs;
    gauges.longestUnserved.set(waitedMs / 1_000);
  };
}

type Gauges = ReturnType<typeof makeGauges>;

function makeGauges(registry: Registry) {
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Gauge({ name: `room_launcher_${name}`, help, labelNames, registers: [registry] });
  return {
    ready: gauge('ready', 'Is the first complete pass done? As /readyz says it.', []),
    up: gauge('dependency_up', 'Did LiveKit, or the engine, answer the newest look at it?', [
      'dependency',
    ]),
    rooms: gauge('rooms', 'Rooms by where their run stands; skipped: no profile launches.', [
      'profile',
      'state',
    ]),
    tasks: gauge('tasks', 'Tasks as the engine lists them; ended ones are kept as evidence.', [
      'task',
      'phase',
    ]),
    damaged: gauge('damaged_tasks', 'Tasks of this deployment whose key cannot be read.', []),
    sockets: gauge('gateway_sockets', "Tasks' sockets at the gateway, by how far each came.", [
      'state',
    ]),
    standbysReady: gauge('standbys_ready', 'Standbys that can take a room now.', ['profile']),
    standbysWanted: gauge('standbys_wanted', 'Standbys that there are to be.', ['profile']),
    longestUnserved: gauge(
      'longest_unserved_seconds',
      'How long the room has had no agent that has waited longest for one; 0: none waits.',
      [],
    ),
  };
}

/** What was not asked yet is not known to be down. */
function isUp({ state }: PartState): number {
  return state === 'down' ? 0 : 1;
}

function setRooms({ rooms: gauge }: Gauges, names: readonly string[], rooms: readonly RoomRow[]) {
  for (const profile of ['', ...names]) {
    for (const state of STATES) gauge.set({ profile, state }, 0);
  }
  for (const { profile, state } of rooms) {
    gauge.inc({ profile: profileLabel(names, profile), state });
  }
}

function setTasks(
  { tasks: gauge, damaged, sockets, standbysReady }: Gauges,
  names: readonly string[],
  tasks: readonly TaskRow[],
): void {
  for (const task of TASK_KINDS) for (const phase of PHASES) gauge.set({ task, phase }, 0);
  for (const state of SOCKETS) sockets.set({ state }, 0);
  for (const profile of names) standbysReady.set({ profile }, 0);
  damaged.set(tasks.filter(({ key }) => key === null).length);
  for (const { key, phase, socket, standby } of tasks) {
    if (key === null) continue;
    gauge.inc({ task: kindOfTask(key), phase });
    if (socket !== null) sockets.inc({ state: oneOf(SOCKETS, socket) });
    // Another launcher's, of a profile that is not ours, is never ready here.
    const profile = standby === 'ready' ? parseStandbyKey(key as TaskKey)?.profile : undefined;
    if (profile !== undefined && names.includes(profile)) standbysReady.inc({ profile });
  }
}
