/** What `/api/rooms` and `/api/tasks` show, from what the launcher remembers and the engine lists. */
import { attemptOf } from '../core/key.ts';
import type { Memory } from '../core/memory.ts';
import type { RoomMemory } from '../core/remembered.ts';
import type { RoomSid } from '../core/room.ts';
import type { ObservedTask, TaskKey } from '../driver.ts';
import type { RoomRow, TaskRow } from './ports.ts';

export interface Seen {
  readonly memory: Memory;
  /** Every task of the newest list, and those that it does not show yet. */
  readonly tasks: readonly ObservedTask[];
  readonly sockets: ReadonlyMap<TaskKey, { readonly state: string }>;
  /** Can this standby take a room now? Null: it is none, or has one. */
  readonly isReadyStandby: (key: TaskKey) => boolean | null;
  /** The name of a room's profile; null: it has none. */
  readonly profileOf: (room: RoomMemory) => string | null;
}

/** Live rooms, and rooms that are over while a task of theirs still runs; oldest first. */
export function roomRows({ memory, tasks, profileOf }: Seen): RoomRow[] {
  const bySid = new Map<RoomSid, ObservedTask[]>();
  for (const task of tasks) {
    const sid = task.key === null ? null : memory.sidOf(task.key);
    if (sid) bySid.set(sid, [...(bySid.get(sid) ?? []), task]);
  }
  return [...memory.rooms.values()]
    .filter((room) => {
      const listed = room.lastListedAtMs !== null && room.goneAtMs === null;
      return listed || bySid.get(room.sid)?.some((task) => task.phase !== 'ended');
    })
    .map((room) => roomRow(room, bySid.get(room.sid) ?? [], profileOf(room)));
}

function roomRow(
  room: RoomMemory,
  tasks: readonly ObservedTask[],
  profile: string | null,
): RoomRow {
  const newest = tasks.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0];
  return {
    name: room.name ?? '',
    sid: room.sid,
    profile,
    state: room.state,
    reason: room.reason,
    attempts: room.highestAttempt,
    task: newest?.key ?? null,
    createdAt: iso(room.createdAtMs),
    participants: room.participants,
    otherAgents: room.otherAgents,
  };
}

export function taskRows({ memory, tasks, sockets, isReadyStandby }: Seen): TaskRow[] {
  return tasks.map((task) => {
    const { key } = task;
    const waits = key === null || task.phase === 'ended' ? null : isReadyStandby(key);
    const sid = key === null ? null : memory.sidOf(key);
    const known = key === null ? undefined : memory.tasks.get(key);
    return {
      key,
      taskId: task.taskId,
      sid,
      attempt: key === null || sid === null ? null : attemptOf(key),
      standby: waits === null ? null : waits ? 'ready' : 'not-ready',
      phase: task.phase,
      verdict: known?.judged?.verdict ?? null,
      exitCode: task.exit?.code ?? null,
      reason: known?.judged?.reason ?? known?.ending?.reason ?? '',
      createdAt: new Date(task.createdAtMs).toISOString(),
      startedAt: iso(task.startedAtMs),
      endedAt: iso(task.endedAtMs),
      socket: (key === null ? undefined : sockets.get(key)?.state) ?? null,
    };
  });
}

function iso(atMs: number | null | undefined): string | null {
  return atMs == null ? null : new Date(atMs).toISOString();
}
