/**
 * Keeps the agent out of every room but its own.
 *
 * A room name can come back as another room: whoever joins a finished room re-creates it, and a
 * token names a room by name only. So the guard sits in `Room.connect` itself, below
 * `ctx.connect()` and `AgentSession.start()`: the sid is checked before `connect` returns, and a
 * foreign room is left before the agent's code goes on. All that the agent's code can see of a
 * foreign room is the `Connected` event. Once the job has ended there is no joining at all.
 *
 * Not seen here: a server that crashes and is back within seconds. The client then joins anew by
 * itself, into the name's next life, and goes on showing the old sid. The launcher, which sees
 * both, ends such an agent.
 */
import type { Room } from '@livekit/rtc-node';
import type { RtcLibrary } from './load-agent.ts';

/** LiveKit may send a room's sid shortly after the join. */
const SID_LIMIT_MS = 10_000;

export interface Gate {
  /** The one room of this job. */
  readonly sid: string;
  /** Has the job ended? */
  ended(): boolean;
  joined(): void;
  /** The agent is in a room of another sid, or of none that can be told; it is taken out. */
  foreign(sid: string): void;
  joinFailed(): void;
}

/** A room of rtc-node that can only be joined through `gate`. */
export function guardedRoom(rtc: RtcLibrary, gate: Gate): Room {
  class GuardedRoom extends rtc.Room {
    override async connect(...args: Parameters<Room['connect']>): Promise<void> {
      if (gate.ended()) throw new Error('the job has ended: its room is not joined any more');
      try {
        await super.connect(...args);
      } catch (error) {
        gate.joinFailed();
        throw error;
      }
      const sid = await this.#sid();
      if (sid !== gate.sid) gate.foreign(sid);
      if (gate.ended()) {
        await this.disconnect();
        throw new Error('the room has ended');
      }
      gate.joined();
    }

    /** Empty when it does not come in time or the room is lost meanwhile. */
    async #sid(): Promise<string> {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<string>((resolve) => {
        timer = setTimeout(resolve, SID_LIMIT_MS, '');
      });
      try {
        return await Promise.race([this.getSid(), limit]);
      } catch {
        return '';
      } finally {
        clearTimeout(timer);
      }
    }
  }

  return new GuardedRoom();
}
