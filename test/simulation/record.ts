/** What the oracle keeps of one room: how its tasks ended, and whether its run may rest. */
import type { RoomSid } from '../../launcher/core/room.ts';
import type { MemoryTask } from '../../launcher/drivers/memory.ts';
import type { TaskKey } from '../../launcher/driver.ts';
import type { SimProcess } from './process.ts';

const EXIT_DISPLACED = 76;
const EXIT_BAD_START = 64;

export class RoomRecord {
  readonly sid: RoomSid;
  readonly firstAtMs: number;
  /** Launchers beside one that were up then: each may hand it a standby of its own. */
  readonly overlaps: number;
  /** How often the sid was opened. */
  lives = 0;
  /** Tasks that the engine made, in order. */
  readonly created: TaskKey[] = [];
  /**
   * Tasks that do not count against the retries: displaced ones (null), and surplus ones as long as
   * the launcher that ended them is there.
   */
  readonly uncounted = new Map<TaskKey, SimProcess | null>();
  operator = false;
  /** One of its agents showed another task's key: none but its own room may suffer by that. */
  lied = false;
  told: SimProcess | null = null;
  toldAtMs: number | null = null;
  /** When the number of its live tasks changed. */
  countChangedAtMs: number;
  #count = 0;
  #served = false;
  #fatal = false;
  #servedBefore = false;
  #knower: SimProcess | undefined;
  #failures = new Set<TaskKey>();
  #refusedFromMs: number | null = null;
  #refusedToMs = 0;

  constructor(sid: RoomSid, nowMs: number, overlaps: number) {
    this.sid = sid;
    this.overlaps = overlaps;
    this.firstAtMs = nowMs;
    this.countChangedAtMs = nowMs;
  }

  /** A life begins. What ended the one before excuses only who could not know that it was over. */
  begins(nowMs: number, process: SimProcess | undefined): void {
    this.lives += 1;
    this.countChangedAtMs = nowMs;
    const known = process?.reconciler.memory.rooms.get(this.sid);
    if (this.lives === 1 || known?.goneAtMs == null) return;
    this.#knower = process;
    this.#servedBefore ||= this.#served;
    this.#served = false;
    this.operator = false;
    this.#failures.clear();
  }

  ends(key: TaskKey, code: number | null): void {
    if (code === EXIT_DISPLACED) this.uncounted.set(key, null);
    else if (code === 0) this.#served = true;
    else this.#failures.add(key);
    if (code === EXIT_BAD_START) this.#fatal = true;
  }

  refused(nowMs: number): void {
    this.#refusedFromMs ??= nowMs;
    this.#refusedToMs = nowMs;
  }

  sees(live: readonly MemoryTask[], nowMs: number): void {
    if (live.length === this.#count) return;
    this.#count = live.length;
    this.countChangedAtMs = nowMs;
  }

  /** May the run rest: done, stopped, or given up in order? */
  isDone(tries: number, startDeadlineMs: number, process: SimProcess | undefined): boolean {
    // Only a launcher that saw the life before end can tell its ends from this one's.
    if (this.#servedBefore && process !== this.#knower) return true;
    const counts = (key: TaskKey) => {
      const by = this.uncounted.get(key);
      return by === undefined || (by !== null && by !== process);
    };
    const failures = [...this.#failures].filter(counts).length;
    const refusedMs = this.#refusedToMs - (this.#refusedFromMs ?? this.#refusedToMs);
    return (
      this.operator ||
      this.#served ||
      this.#fatal ||
      failures >= tries ||
      refusedMs >= startDeadlineMs
    );
  }
}
