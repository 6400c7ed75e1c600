/** How a task is named in every event about it, and the one event that two parts can tell. */
import { attemptOf, parseStandbyKey } from '../core/key.ts';
import type { Memory } from '../core/memory.ts';
import type { TaskKey } from '../driver.ts';
import type { Log } from '../lib/log.ts';

/** Its key, its room and attempt; of a standby without a room, its profile. */
export function idOf(key: TaskKey, memory: Memory) {
  const sid = memory.sidOf(key);
  if (sid !== null) return { task: key, sid, attempt: attemptOf(key) };
  return { task: key, profile: parseStandbyKey(key)?.profile };
}

export interface ActiveParts {
  readonly memory: Memory;
  readonly log: Log;
  /** Called when a task's agent was first seen in its room. */
  readonly agentJoined: (key: TaskKey) => void;
}

/**
 * A task's agent is in its room: told once, by whichever came first, webhook or list. Of a task that
 * an earlier launcher launched it is old news.
 */
export function tellActive(
  key: TaskKey,
  seenBy: 'webhook' | 'list',
  { memory, log, agentJoined }: ActiveParts,
): void {
  const task = memory.tasks.get(key);
  if (!task || task.activeSaid) return;
  task.activeSaid = true;
  memory.standbys.noteJoined(key);
  const level = task.launched ? 'info' : 'debug';
  log.event('task.active', { ...idOf(key, memory), seen_by: seenBy }, level);
  agentJoined(key);
}
