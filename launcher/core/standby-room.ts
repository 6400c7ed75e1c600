/** How a standby comes to have a room: it is given one here, or its agent shows up in one. */
import type { TaskKey } from '../driver.ts';
import type { Memory } from './memory.ts';
import type { RoomSid } from './room.ts';

/** From now on the standby is this room's. */
export function takeStandby(memory: Memory, key: TaskKey, sid: RoomSid, nowMs: number): void {
  const { standbys } = memory;
  standbys.take(standbys.note(key), sid, nowMs, memory.blindMs(sid, nowMs));
  memory.room(sid).keys.add(key);
}

/** What it was offered came to nothing: it is no room's any more. */
export function releaseStandby(memory: Memory, key: TaskKey): void {
  const standby = memory.standbys.get(key);
  if (!standby?.room) return;
  memory.rooms.get(standby.room.sid)?.keys.delete(key);
  memory.standbys.release(standby);
}

/** Its worker took the job: it is the first launch of its room's run. */
export function noteAssigned(memory: Memory, key: TaskKey): void {
  const standby = memory.standbys.note(key);
  standby.assigned = true;
  if (!standby.room) {
    if (standby.made) standby.spent = 'its worker says that it is on a job';
    return;
  }
  const room = memory.room(standby.room.sid);
  room.highestAttempt = Math.max(room.highestAttempt, 1);
  memory.standbys.noteSuccess(standby.profile);
}

/**
 * The agent in a room says that it is this standby. Believed of another launcher's, that no other
 * room's agent says it is; one that two claim is nobody's. What this process gave it knows.
 */
export function noteClaim(memory: Memory, key: TaskKey, sid: RoomSid, nowMs: number): void {
  const standby = memory.standbys.get(key);
  if (!standby || standby.made || standby.contested || standby.room?.sid === sid) return;
  if (standby.room) {
    standby.contested = true;
    releaseStandby(memory, key);
    return;
  }
  takeStandby(memory, key, sid, nowMs);
  standby.assigned = true;
}
