/** How a standby comes to have a room: it is given one here, or its agent shows up in one. */
import type { TaskKey } from '../driver.ts';
import { isStandbyKey } from './key.ts';
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
  const room = memory.rooms.get(standby.room.sid);
  room?.keys.delete(key);
  room?.declinedBy.add(key);
  memory.standbys.release(standby);
}

/** Its worker took its job. A standby is the first launch of its room's run from now on. */
export function noteAssigned(memory: Memory, key: TaskKey): void {
  Object.assign(memory.task(key), { assigned: true, waitsHere: false });
  if (!isStandbyKey(key)) return;
  const standby = memory.standbys.note(key);
  if (!standby.room) {
    if (standby.made) standby.spent = 'its worker says that it is on a job';
    return;
  }
  const room = memory.room(standby.room.sid);
  room.highestAttempt = Math.max(room.highestAttempt, 1);
  memory.standbys.noteSuccess(standby.profile);
}

/**
 * The agent in a room says that it is this standby. Believed of another launcher's, unless one of the
 * room's own tasks can be the one that says it; one that two rooms claim is nobody's. What this process
 * gave it knows. Believed or not, as long as it is said the standby is left alone.
 */
export function noteClaim(memory: Memory, key: TaskKey, sid: RoomSid, nowMs: number): void {
  const standby = memory.standbys.get(key);
  if (!standby) return;
  standby.shownAtMs = nowMs;
  if (standby.made || standby.contested || standby.room?.sid === sid) return;
  const own = [...memory.room(sid).keys].map((each) => memory.task(each));
  if (own.some((task) => !task.launched || !task.waitsHere)) return;
  if (standby.room) {
    standby.contested = true;
    releaseStandby(memory, key);
    return;
  }
  takeStandby(memory, key, sid, nowMs);
  memory.task(key).assigned = true;
}
