/** How a task is named in every event about it. */
import { attemptOf, parseStandbyKey } from '../core/key.ts';
import type { Memory } from '../core/memory.ts';
import type { TaskKey } from '../driver.ts';

/** Its key, its room and attempt; of a standby without a room, its profile. */
export function idOf(key: TaskKey, memory: Memory) {
  const sid = memory.sidOf(key);
  if (sid !== null) return { task: key, sid, attempt: attemptOf(key) };
  return { task: key, profile: parseStandbyKey(key)?.profile };
}
