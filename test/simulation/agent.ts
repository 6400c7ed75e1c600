/**
 * What runs in a task: our runner, in the order and with the exit codes that it has, and with the
 * fate that the dice gave it.
 */
import { isStandbyKey } from '../../launcher/core/key.ts';
import type { RoomSid } from '../../launcher/core/room.ts';
import type { MemoryTask, SigtermAnswer } from '../../launcher/drivers/memory.ts';
import type { TaskKey } from '../../launcher/driver.ts';
import type { ServerFrame } from '../../launcher/gateway/wire.ts';
import { LEFT, type Seat } from './livekit.ts';
import type { SimProcess } from './process.ts';
import type { SimWorld } from './world.ts';

/** How an agent turns out. */
export const BAD_FATES = [
  'crash-at-start',
  'crash-later',
  'oom',
  'never-joins',
  'slow-start',
  'ignores-sigterm',
  'leaves',
  'reconnects',
  'fatal',
] as const;
/** And what can become of one that waits for its room. */
export const BAD_STANDBY_FATES = [
  ...BAD_FATES,
  'never-registers',
  'dies-idle',
  'dies-at-offer',
  'dies-at-assignment',
  'hangs-up-at-offer',
  'refuses',
  'refuses-once',
  'answers-late',
  'loses-line',
  'lies',
] as const;
export type Fate = 'serves' | (typeof BAD_STANDBY_FATES)[number];

const REDIAL_MAX_MS = 5_000;
const GIVE_UP_MS = 600_000;
const RECONNECTS_MAX = 8;
/** Until LiveKit notices that a participant's process is dead. */
const NOTICED_MAX_MS = 15_000;

export class SimAgent {
  readonly key: TaskKey;
  readonly task: MemoryTask;
  readonly fate: Fate;
  readonly #world: SimWorld;
  #process: SimProcess | null = null;
  /** The launcher before it: what that one had sent by its end still arrives. */
  #before: SimProcess | null = null;
  /** Since when it has had no launcher. */
  #aloneSinceMs: number;
  #offers = 0;
  #seat: Seat | null = null;
  #leftAtMs: number | undefined;
  #jobId: string | undefined;
  #dials = 0;
  #reconnected = 0;
  #over = false;

  constructor(world: SimWorld, task: MemoryTask, key: TaskKey, fate: Fate) {
    this.#world = world;
    this.task = task;
    this.key = key;
    this.fate = fate;
    this.#aloneSinceMs = world.clock.nowMs();
  }

  /** The launcher that it is registered at. */
  get launcher(): SimProcess | null {
    return this.#process;
  }

  /** When it was last seen out of a room that it had been in. */
  get leftAtMs(): number | undefined {
    const untilMs = this.#seat?.untilMs ?? this.#leftAtMs;
    return untilMs === Infinity ? undefined : untilMs;
  }

  /** Its job is done, by itself or by being told. */
  get over(): boolean {
    return this.#over;
  }

  /** Its place in the room, if it sits in one. */
  get seat(): Seat | null {
    return this.#seat?.untilMs === Infinity ? this.#seat : null;
  }

  /** The engine has started it. */
  start(): void {
    this.#aloneSinceMs = this.#world.clock.nowMs();
    if (this.fate === 'crash-at-start') return this.#exitAfter(300, 1);
    if (this.fate === 'fatal') return this.#exitAfter(300, 64);
    if (this.fate === 'never-registers') return;
    if (this.fate === 'dies-idle') this.#exitAfter(this.#dice(1_000, 60_000, 'idle death'), 137);
    const [fromMs, toMs] = this.fate === 'slow-start' ? [10_000, 40_000] : [200, 3_000];
    this.#after(this.#dice(fromMs, toMs, 'boot'), () => this.#dial());
  }

  /** SIGTERM, by whomever. */
  sigterm(): SigtermAnswer {
    if (this.fate === 'ignores-sigterm') return { afterMs: Infinity, code: 137 };
    if (this.#over) return { afterMs: 100, code: 0 };
    this.#over = true;
    this.#leave(LEFT.client);
    return { afterMs: 200, code: 143 };
  }

  /** Its task is over: nothing of it runs any more. */
  died(graceful: boolean): void {
    const { clock, livekit } = this.#world;
    const process = this.#process;
    this.#process = null;
    process?.hungUp(this);
    const seat = this.#seat;
    this.#seat = null;
    if (!seat) return;
    const noticedMs = graceful ? 0 : this.#dice(0, NOTICED_MAX_MS, 'noticed');
    clock.timer(noticedMs, () => livekit.leave(seat, graceful ? LEFT.client : LEFT.lost));
  }

  /** Its launcher's socket is gone. */
  lostLauncher(): void {
    this.#before = this.#process;
    this.#process = null;
    this.#aloneSinceMs = this.#world.clock.nowMs();
    this.#dials = 0;
    this.#redial();
  }

  /** A frame of the gateway's. */
  received(frame: ServerFrame, from: SimProcess): void {
    if ((from !== this.#process && from !== this.#before) || !this.#alive()) return;
    if (frame.case === 'termination') return this.#endJob();
    if (frame.case === 'availability') this.#offered(frame.value.job?.id ?? '', from);
    else if (frame.case === 'assignment' && this.#jobId === undefined) {
      if (this.fate === 'dies-at-assignment') return this.#exitAfter(0, 137);
      const { id, room } = frame.value.job ?? {};
      if (!room) return;
      this.#jobId = id;
      const { name, sid } = room;
      this.#after(this.#dice(50, 500, 'join'), () => this.#join(name, sid as RoomSid));
    }
  }

  #offered(jobId: string, by: SimProcess): void {
    this.#offers += 1;
    const no = this.fate === 'refuses' || (this.fate === 'refuses-once' && this.#offers === 1);
    const lateMs = this.fate === 'answers-late' ? this.#dice(5_000, 15_000, 'answer') : 0;
    switch (this.fate) {
      case 'never-joins':
        return;
      case 'dies-at-offer':
        return this.#exitAfter(0, 137);
      case 'hangs-up-at-offer':
        by.hungUp(this);
        return this.lostLauncher();
      default:
        if (lateMs === 0) return by.answered(this, jobId, !no);
        this.#after(lateMs, () => by.answered(this, jobId, !no));
    }
  }

  #dial(): void {
    if (this.#over) return;
    const gateway = this.#world.gateway();
    const answer = gateway?.admits(this) ?? 'away';
    if (answer === 'gone') {
      this.#leave(LEFT.client);
      return this.#exitAfter(50, 0);
    }
    if (answer !== 'welcome' || !gateway) return this.#redial();
    this.#process = gateway;
    this.#before = null;
    this.#dials = 0;
    gateway.registered(this, this.#jobId);
  }

  #redial(): void {
    this.#dials += 1;
    const waitMs = Math.min(250 * 2 ** this.#dials, REDIAL_MAX_MS);
    const aloneMs = this.#world.clock.nowMs() - this.#aloneSinceMs;
    if (this.#jobId === undefined && aloneMs > GIVE_UP_MS) return this.#exitAfter(0, 75);
    this.#after(waitMs, () => this.#dial());
  }

  #join(name: string, sid: RoomSid): void {
    if (this.#over) return;
    const taskKey = this.#shownKey();
    const onKick: Seat['onKick'] = (reason) => this.#kicked(reason, name, sid);
    this.#seat = this.#world.livekit.join(name, sid, { taskKey, onKick });
    // The runner's guard: the name may be in another life by now.
    if (this.#seat.room.sid !== sid) return this.#endJob();
    if (this.fate === 'crash-later') this.#exitAfter(this.#dice(100, 20_000, 'crash'), 1);
    if (this.fate === 'oom') this.#exitAfter(this.#dice(100, 20_000, 'oom'), 137, true);
    if (this.fate === 'loses-line') {
      this.#after(this.#dice(1_000, 20_000, 'gateway'), () => {
        if (!this.#process) return;
        this.#process.hungUp(this);
        this.lostLauncher();
      });
    }
    if (this.fate === 'reconnects') this.#reconnects(name, sid);
    if (this.fate === 'leaves') this.#after(this.#dice(100, 20_000, 'leave'), () => this.#endJob());
  }

  /** User code can show any key: a liar shows a standby's that is none of its business. */
  #shownKey(): TaskKey {
    if (this.fate !== 'lies') return this.key;
    const keys = [...this.#world.agents.values()].map((agent) => agent.key);
    const others = keys.filter((key) => isStandbyKey(key) && key !== this.key);
    if (others.length === 0) return this.key;
    this.#world.oracle.lied(this);
    return this.#world.dice.pick(others, `lie ${this.key}`);
  }

  /** Its line breaks now and then; LiveKit notices, and it is back within seconds. */
  #reconnects(name: string, sid: RoomSid): void {
    this.#after(this.#dice(2_000, 20_000, 'line'), () => {
      if (this.#over || !this.seat || (this.#reconnected += 1) > RECONNECTS_MAX) return;
      this.#leave(LEFT.lost);
      this.#after(this.#dice(500, 12_000, 'back'), () => {
        const { livekit } = this.#world;
        if (this.#over || livekit.named(name)?.sid !== sid) return;
        const onKick: Seat['onKick'] = (reason) => this.#kicked(reason, name, sid);
        this.#seat = livekit.join(name, sid, { taskKey: this.key, onKick });
        this.#reconnects(name, sid);
      });
    });
  }

  #kicked(reason: Parameters<Seat['onKick']>[0], name: string, sid: RoomSid): void {
    if (this.#over || !this.#alive()) return;
    if (reason === 'displaced') return this.#exitAfter(50, 76);
    if (reason === 'room-over') return this.#endJob();
    // The server went away. LiveKit's client joins again under its old token, or gives up.
    this.#leftAtMs = this.#seat?.untilMs;
    this.#seat = null;
    if (!this.#world.dice.chance(0.5, `rejoin ${this.key}`)) return this.#exitAfter(500, 75);
    const rejoin = () => {
      if (this.#over) return;
      if (this.#world.livekitDown) return this.#after(1_000, rejoin);
      const again: Seat['onKick'] = (why) => this.#kicked(why, name, sid);
      this.#seat = this.#world.livekit.join(name, sid, { taskKey: this.key, onKick: again });
    };
    this.#after(1_000, rejoin);
  }

  /** Leaves, runs its shutdown callbacks, exits 0. */
  #endJob(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leave(LEFT.client);
    if (this.fate !== 'ignores-sigterm') this.#exitAfter(this.#dice(50, 300, 'exit'), 0);
  }

  #leave(reason: number): void {
    if (this.#seat) this.#world.livekit.leave(this.#seat, reason);
  }

  #exitAfter(afterMs: number, code: number, oomKilled = false): void {
    this.#after(afterMs, () => {
      this.#over = true;
      this.task.oomKilled = oomKilled;
      this.#world.engine.finish(this.task.id, code);
    });
  }

  #alive(): boolean {
    const { clock, engine } = this.#world;
    return engine.tasks.has(this.task.id) && this.task.endsAtMs > clock.nowMs();
  }

  #after(afterMs: number, then: () => void): void {
    this.#world.clock.timer(afterMs, () => {
      if (this.#alive()) then();
    });
  }

  #dice(minMs: number, maxMs: number, what: string): number {
    return this.#world.dice.between(minMs, maxMs, `${what} ${this.key}`);
  }
}
