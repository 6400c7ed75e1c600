/**
 * A launcher's world made up, for looking at the dashboard: rooms, tasks and events as the real parts
 * would tell them, behind the admin listener's own routes. Every choice is drawn from a seed.
 */
import { createAdminListener } from '../../dist/launcher/admin/listener.js';
import { systemClock } from '../../dist/launcher/lib/clock.js';
import { Minutes } from '../../dist/launcher/telemetry/minutes.js';
import { RecentEvents } from '../../dist/launcher/telemetry/recent.js';
import { StartUps } from '../../dist/launcher/telemetry/start-ups.js';

const SILENT = { debug() {}, info() {}, warn() {}, error: console.error, event() {} };
const PLACES = [
  'lobby',
  'support',
  'standup',
  'interview',
  'tutoring',
  'clinic',
  'sales',
  'podcast',
];
const PROFILES = ['default', 'support', 'large'];
const iso = (atMs) => (atMs === null ? null : new Date(atMs).toISOString());

/** Cores that a task of this name uses. */
function coresOf(id) {
  return 0.03 + ((id.codePointAt(5) ?? 0) % 9) / 40;
}

/** The same numbers in [0, 1) for the same seed. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

export class World {
  rooms = [];
  tasks = [];
  /** @type {import('../../launcher/admin/ports.ts').Readiness} */
  readiness = {
    ready: true,
    firstPassDone: true,
    gatewayListening: true,
    livekit: { state: 'up', since: null, reason: null },
    engine: { state: 'up', since: null, reason: null },
  };
  standbysWanted = new Map();
  stopped = [];
  /** Lines by task. */
  outputs = new Map();
  #random;
  #count = 0;
  #names = new Map();
  #startUps = new StartUps();
  #minutes = new Minutes(systemClock);
  #recent = new RecentEvents(systemClock.nowMs());

  constructor(seed = 1) {
    this.#random = dice(seed);
  }

  /** Tells an event, as the log would. */
  tell(atMs, event, fields, level = 'info') {
    const told = { atMs, event, level, fields };
    for (const { listener } of [this.#startUps, this.#minutes, this.#recent]) listener(told);
  }

  /**
   * A room that was opened then, with its task's whole way into it, and its events in their order.
   * @param {number} createdAtMs
   * @param {{ name?: string, profile?: string, tookMs?: number, tell?: boolean }} [how]
   */
  open(createdAtMs, { name, profile, tookMs = 900 + this.#random() * 1_400, tell = true } = {}) {
    const n = (this.#count += 1);
    const sid = `RM_${Math.floor(this.#random() * 36 ** 8)
      .toString(36)
      .padStart(8, 'x')}${n}`;
    const key = `r-${sid}-1`;
    const place = PLACES[Math.floor(this.#random() * PLACES.length)];
    const room = {
      name: name ?? `${place}-${String(n).padStart(3, '0')}`,
      sid,
      profile: profile ?? PROFILES[Math.floor(this.#random() ** 3 * PROFILES.length)],
      state: 'serving',
      reason: 'its agent is present',
      attempts: 1,
      task: key,
      createdAt: iso(createdAtMs),
      participants: 1 + Math.floor(this.#random() * 3),
      otherAgents: 0,
    };
    const task = this.#task(key, sid, 1, createdAtMs + 30);
    this.rooms.push(room);
    this.#names.set(sid, room.name);
    this.tasks.push(task);
    if (tell) {
      const heard = { webhook_event: 'room_started', sid, status: 200 };
      this.tell(createdAtMs, 'webhook.receive', heard);
      this.way(task, createdAtMs, tookMs);
    }
    return { room, task };
  }

  /** The events of a task's way into its room. */
  way({ key, sid, attempt }, fromMs, tookMs) {
    const of = { task: key, sid, attempt };
    const reason = 'the room is live and has no task';
    const launch = { ...of, outcome: 'accepted', reason, took_ms: 70 };
    this.tell(fromMs + 95, 'task.launch', launch);
    this.tell(fromMs + tookMs * 0.62, 'task.register', { task: key, since_connect_ms: 12 });
    const assign = { task: key, sid, outcome: 'assigned', reason: 'it took its job' };
    this.tell(fromMs + tookMs * 0.66, 'task.assign', assign);
    this.tell(fromMs + tookMs, 'task.active', { ...of, seen_by: 'webhook' });
  }

  standby(createdAtMs, profile, slot) {
    const n = Math.floor(this.#random() * 1e8);
    const task = this.#task(
      `s-${profile}-${slot}-${String(n).padStart(8, '0')}`,
      null,
      null,
      createdAtMs,
    );
    this.tasks.push(Object.assign(task, { standby: 'ready', socket: 'waiting' }));
    return task;
  }

  /** Ends a task, as the next pass would have read it. */
  end(task, atMs, verdict, exitCode, reason) {
    Object.assign(task, {
      phase: 'ended',
      endedAt: iso(atMs),
      verdict,
      exitCode,
      reason,
      socket: null,
    });
    const { key, sid, attempt } = task;
    const ran_ms = atMs - Date.parse(task.startedAt);
    const level = verdict === 'served' ? 'info' : 'warn';
    this.tell(
      atMs,
      'task.end',
      { task: key, sid, attempt, verdict, reason, code: exitCode, ran_ms },
      level,
    );
  }

  /** The next attempt of a room. */
  again(room, createdAtMs) {
    room.attempts += 1;
    room.task = `r-${room.sid}-${room.attempts}`;
    const task = this.#task(room.task, room.sid, room.attempts, createdAtMs);
    this.tasks.push(task);
    return task;
  }

  close({ room, task }, atMs) {
    this.rooms.splice(this.rooms.indexOf(room), 1);
    this.end(task, atMs, 'served', 0, 'the job ended');
  }

  /** The admin listener over this world. */
  listen(port = 0) {
    const listen = { host: '127.0.0.1', port };
    return createAdminListener({ listen, host: this.host(), log: SILENT, clock: systemClock });
  }

  #task(key, sid, attempt, createdAtMs) {
    return {
      key,
      taskId: key,
      sid,
      attempt,
      standby: null,
      phase: 'running',
      verdict: null,
      exitCode: null,
      reason: '',
      createdAt: iso(createdAtMs),
      startedAt: iso(createdAtMs + 250),
      endedAt: null,
      socket: 'assigned',
    };
  }

  async *#output(key) {
    for (const line of this.outputs.get(key) ?? ['joined the room']) yield `${line}\n`;
  }

  /** What the admin listener is handed. */
  host() {
    const accepted = (what) => {
      this.stopped.push(what);
      return Promise.resolve('accepted');
    };
    const startedMs = systemClock.nowMs() - 600_000;
    return {
      healthy: () => true,
      ready: () => this.readiness,
      rooms: () => this.rooms.map((room) => ({ ...room })),
      tasks: () => this.tasks.map((task) => ({ ...task })),
      events: this.#recent,
      roomName: (sid) => this.#names.get(sid) ?? null,
      stopRoom: (sid) => accepted(sid),
      stopTask: accepted,
      logs: (key) => Promise.resolve(this.#output(key)),
      dashboard: {
        about: () => ({
          deployment: 'default',
          engine: 'docker',
          webhookListen: '0.0.0.0:8080',
          standbysWanted: this.standbysWanted,
        }),
        startUp: (task) => this.#startUps.of(task),
        startUps: () => this.#startUps.all(),
        minutes: () => this.#minutes.all(),
        usage: (ids) =>
          Promise.resolve(
            ids.map((taskId) => ({
              taskId,
              cpuSeconds: (coresOf(taskId) * (systemClock.nowMs() - startedMs)) / 1_000,
              memoryBytes: (96 + ((taskId.codePointAt(6) ?? 0) % 90)) * 2 ** 20,
            })),
          ),
      },
    };
  }
}
