/** How tasks are marked in the engine: no room name and no secret is in any of it. */
import { isTaskKey, type TaskKey } from '../../driver.ts';

export const LABELS = {
  deployment: 'room-launcher.deployment',
  key: 'room-launcher.key',
  /** The room's sid; on a room's tasks alone, like the attempt. */
  room: 'room-launcher.room',
  attempt: 'room-launcher.attempt',
  profile: 'room-launcher.profile',
  /** Set to 1 by images that run our runner; a container shows its image's labels beside its own. */
  runner: 'room-launcher.runner',
} as const;

export type Labels = Readonly<Record<string, string>>;

export function labelsOf(deployment: string, key: TaskKey, profile: string): Labels {
  const [, sid, attempt] = /^r-(.+)-([0-9]+)$/.exec(key) ?? [];
  return {
    [LABELS.deployment]: deployment,
    [LABELS.key]: key,
    [LABELS.profile]: profile,
    ...(sid !== undefined && attempt !== undefined
      ? { [LABELS.room]: sid, [LABELS.attempt]: attempt }
      : {}),
  };
}

/** The key that labels name, if they are a task's of this deployment. */
export function keyOf(labels: Labels, deployment: string): TaskKey | null {
  const key = labels[LABELS.key];
  if (labels[LABELS.deployment] !== deployment || key === undefined) return null;
  return isTaskKey(key) ? key : null;
}
