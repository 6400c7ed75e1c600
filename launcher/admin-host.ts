/** What the admin listener shows and does, answered by the reconciler, the gateway and telemetry. */
import type { AdminHost, DashboardSource, PartState } from './admin/ports.ts';
import { roomRows, taskRows } from './admin/rows.ts';
import type { Config } from './config.ts';
import type { RoomMemory } from './core/remembered.ts';
import type { RoomSid } from './core/room.ts';
import { type Driver, DriverError, isTaskKey, type TaskId, type TaskKey } from './driver.ts';
import type { Gateway } from './gateway/ports.ts';
import type { Outage } from './lib/outage.ts';
import type { Reconciler } from './reconcile/reconciler.ts';
import type { Shown } from './telemetry/metrics-state.ts';
import type { Watched } from './wiring.ts';

export interface AdminHostParts {
  readonly reconciler: Reconciler;
  readonly gateway: Gateway;
  readonly driver: Driver;
  readonly config: Pick<Config, 'deployment' | 'webhookListen' | 'profiles'>;
  readonly watched: Watched;
}

export function adminHost(parts: AdminHostParts): AdminHost {
  const { reconciler, gateway, driver, watched } = parts;
  const { memory, observer } = reconciler;
  const seen = () => ({
    memory,
    tasks: observer.allTasks(),
    sockets: gateway.sockets(),
    isReadyStandby: (key: TaskKey) => reconciler.isReadyStandby(key),
    profileOf: (room: RoomMemory) => reconciler.profileOf(room).name || null,
  });
  const shown: Shown = {
    ready: () => ({
      ready: memory.firstPassAtMs !== null,
      firstPassDone: memory.firstPassAtMs !== null,
      gatewayListening: true,
      livekit: partState(reconciler.livekitOutage),
      engine: partState(reconciler.engineOutage),
    }),
    rooms: () => roomRows(seen()),
    tasks: () => taskRows(seen()),
  };
  return {
    ...shown,
    healthy: () => true,
    events: watched.recent,
    metrics: () => watched.metrics.expose(shown),
    dashboard: dashboardSource(parts),
    roomName: (sid) => memory.rooms.get(sid as RoomSid)?.name ?? null,
    stopRoom: async (nameOrSid) => reconciler.stopRoom(nameOrSid),
    stopTask: async (key) => reconciler.stopTask(key),
    async logs(key, options, signal) {
      const task = isTaskKey(key) ? observer.task(key) : null;
      if (task === null) return null;
      if (!driver.logs)
        throw new DriverError('invalid', 'this engine keeps no output of its tasks');
      return driver.logs(task.taskId, options, signal);
    },
  };
}

function dashboardSource({ driver, config, watched }: AdminHostParts): DashboardSource {
  const { deployment, webhookListen, profiles } = config;
  const kept = profiles.list.flatMap(({ name, standby }) =>
    standby ? [[name, standby] as const] : [],
  );
  const about = {
    deployment,
    engine: driver.traits.name,
    webhookListen: `${webhookListen.host}:${webhookListen.port}`,
    standbysWanted: new Map(kept),
  };
  const usage = driver.usage?.bind(driver);
  return {
    about: () => about,
    startUp: (task) => watched.startUps.of(task),
    startUps: () => watched.startUps.all(),
    minutes: () => watched.minutes.all(),
    ...(usage && { usage: (taskIds, signal) => usage(taskIds as readonly TaskId[], signal) }),
  };
}

function partState({ current }: Outage): PartState {
  if (current === null) return { state: 'up', since: null, reason: null };
  const since = new Date(current.sinceMs).toISOString();
  return { state: 'down', since, reason: current.reason };
}
