/** Metrics as a launcher has them, fed by events that a test tells. */
import { ok } from 'node:assert';
import type { RoomRow, TaskRow } from '../../launcher/admin/ports.ts';
import type { EventName, Fields, Told } from '../../launcher/lib/log.ts';
import { Metrics } from '../../launcher/telemetry/metrics.ts';
import type { Shown } from '../../launcher/telemetry/metrics-state.ts';
import { StartUps } from '../../launcher/telemetry/start-ups.ts';
import { FakeClock } from '../fakes/clock.ts';
import { samplesOf } from './exposition.ts';

const UP = { state: 'up', since: null, reason: null } as const;

export class ToldMetrics {
  readonly clock = new FakeClock();
  readonly metrics: Metrics;
  readonly #startUps: StartUps;
  ready: ReturnType<Shown['ready']> = {
    ready: true,
    firstPassDone: true,
    gatewayListening: true,
    livekit: UP,
    engine: UP,
  };
  rooms: RoomRow[] = [];
  tasks: TaskRow[] = [];

  constructor(profiles = [{ name: 'default', standby: 2 }, { name: 'vip' }]) {
    const about = { version: '1.2.3', driver: 'docker', deployment: 'test', resyncMs: 30_000 };
    this.metrics = new Metrics({ ...about, profiles, clock: this.clock });
    this.#startUps = new StartUps(this.metrics.reached);
  }

  tell(event: EventName, fields: Fields = {}, level: Told['level'] = 'info'): void {
    const told = { atMs: this.clock.nowMs(), event, level, fields };
    this.#startUps.listener(told);
    this.metrics.listener(told);
  }

  async text(): Promise<string> {
    const shown = { ready: () => this.ready, rooms: () => this.rooms, tasks: () => this.tasks };
    return (await this.metrics.expose(shown)).text;
  }

  /** The value of one series. */
  async value(series: string): Promise<number> {
    const value = samplesOf(await this.text()).get(series);
    ok(value !== undefined, `there is no ${series}`);
    return value;
  }
}

export function roomRow(row: Partial<RoomRow>): RoomRow {
  return {
    name: 'secret-name',
    sid: 'RM_1',
    profile: 'default',
    state: 'serving',
    reason: '',
    attempts: 1,
    task: null,
    participants: null,
    otherAgents: 0,
    createdAt: null,
    ...row,
  };
}

export function taskRow(row: Partial<TaskRow>): TaskRow {
  return {
    key: 'r-RM_1-1',
    taskId: 'id',
    sid: 'RM_1',
    attempt: 1,
    standby: null,
    phase: 'running',
    verdict: null,
    exitCode: null,
    reason: '',
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    endedAt: null,
    socket: 'assigned',
    ...row,
  };
}
