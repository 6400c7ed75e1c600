/** What runs in a task: our runner, which boots, dials, takes its job, sits in the room, and exits. */
import type { RoomSid } from '../../../launcher/core/room.ts';
import type { TaskKey } from '../../../launcher/driver.ts';
import type { ServerFrame } from '../../../launcher/gateway/wire.ts';
import type { SigtermAnswer } from '../../fakes/ecs/index.ts';
import { LEFT, type Seat } from '../livekit.ts';
import type { EcsLauncher } from './launcher.ts';
import type { EcsWorld } from './world.ts';

const BOOT_MS = [500, 2_500] as const;
const JOIN_MS = 300;
/** From JobTermination, or the room's end, to the exit. */
const SHUTDOWN_MS = 500;
const REDIAL_MAX_MS = 5_000;

export class EcsAgent {
  readonly key: TaskKey;
  readonly taskArn: string;
  readonly #world: EcsWorld;
  #launcher: EcsLauncher | null = null;
  #seat: Seat | null = null;
  #jobId: string | undefined;
  #dials = 0;
  #over = false;

  constructor(world: EcsWorld, key: TaskKey, taskArn: string) {
    this.#world = world;
    this.key = key;
    this.taskArn = taskArn;
  }

  /** Its container runs. */
  start(): void {
    const [minMs, maxMs] = BOOT_MS;
    this.#after(this.#world.dice.between(minMs, maxMs, `boot ${this.key}`), () => this.#dial());
  }

  sigterm(): SigtermAnswer {
    this.#leave();
    return { afterMs: SHUTDOWN_MS, exitCode: 143 };
  }

  /** Its launcher was killed: it stays in its room, and dials whoever comes next. */
  lostLauncher(): void {
    this.#launcher = null;
    this.#redial();
  }

  received(frame: ServerFrame, from: EcsLauncher): void {
    if (this.#over || from !== this.#launcher) return;
    if (frame.case === 'termination') return this.#end();
    if (frame.case === 'availability') return from.answered(this, frame.value.job?.id ?? '');
    if (frame.case !== 'assignment' || this.#jobId !== undefined) return;
    const { id, room } = frame.value.job ?? {};
    this.#jobId = id;
    if (room) this.#after(JOIN_MS, () => this.#join(room.name, room.sid as RoomSid));
  }

  #dial(): void {
    const launcher = this.#world.launcher;
    const answer = launcher?.admits(this) ?? 'away';
    if (answer === 'gone') return this.#end();
    if (!launcher || answer !== 'welcome') return this.#redial();
    this.#launcher = launcher;
    this.#dials = 0;
    launcher.registered(this, this.#jobId);
  }

  #redial(): void {
    this.#dials += 1;
    this.#after(Math.min(250 * 2 ** this.#dials, REDIAL_MAX_MS), () => this.#dial());
  }

  #join(name: string, sid: RoomSid): void {
    const seat = { taskKey: this.key, onKick: () => this.#end() };
    this.#seat = this.#world.livekit.join(name, sid, seat);
  }

  #end(): void {
    if (this.#over) return;
    this.#leave();
    // LiveKit's own workers wait for another job then.
    if (!this.#world.profile.runner) return;
    this.#world.clock.timer(SHUTDOWN_MS, () => {
      this.#launcher?.hungUp(this);
      this.#world.ecs.finish(this.taskArn, 0);
    });
  }

  #leave(): void {
    this.#over = true;
    if (this.#seat) this.#world.livekit.leave(this.#seat, LEFT.client);
  }

  #after(afterMs: number, then: () => void): void {
    this.#world.clock.timer(afterMs, () => {
      if (!this.#over) then();
    });
  }
}
