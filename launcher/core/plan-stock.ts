/**
 * What is missing of a profile's standbys, and when it is launched: a room that took one has its agent
 * first, and after failures there is a pause.
 */
import { type Context, soonest } from './action.ts';
import { backoffMs } from './backoff.ts';
import type { Profile } from './desired.ts';
import { standbyKey } from './key.ts';
import type { PoolAction, PoolPlan } from './plan-pool.ts';
import type { StandbyMemory } from './standbys.ts';

/** Failures in a row that are trouble: one may be somebody's kill. */
export const TROUBLED = 2;
/** How long an agent that joins has the engine to itself, at most, from when the room took its standby. */
const JOIN_MS = 2_000;

/**
 * What is missing of a profile, launched at once; after a failure one at a time, after more than one
 * only once the one before has come up.
 */
export function stock(
  profile: Profile,
  own: readonly StandbyMemory[],
  context: Context,
  random: () => number,
): PoolPlan {
  const { memory, nowMs } = context;
  const wanted = profile.launch === false ? 0 : (profile.standby ?? 0);
  const held = heldPlaces(profile.name, context);
  const missing = wanted - own.length - held.places;
  if (missing <= 0) return { actions: [], lookAgainAtMs: held.untilMs };
  const dueAtMs = dueAfterTrouble(profile.name, context);
  if (nowMs < dueAtMs) return { actions: [], lookAgainAtMs: dueAtMs };
  const failures = memory.standbys.trouble(profile.name, nowMs)?.failures ?? 0;
  const onTrial = own.some(({ registeredAtMs }) => registeredAtMs === null);
  if (failures >= TROUBLED && onTrial) return { actions: [], lookAgainAtMs: null };
  const atOnce = failures > 0 ? 1 : missing;
  const taken = new Set(own.map(({ slot }) => slot));
  const free = [...Array(wanted).keys()].filter((slot) => !taken.has(slot));
  const reason = `${missing} of ${wanted} standbys are missing`;
  const actions = free.slice(0, atOnce).map((slot): PoolAction => {
    const key = standbyKey({ profile: profile.name, slot }, random());
    return { do: 'launch-standby', key, reason };
  });
  return { actions, lookAgainAtMs: held.untilMs };
}

/**
 * Places of standbys that a room was offered and did not get yet, and of those whose agents are about
 * to join: what starts beside an agent takes from it the cores that it joins with. `untilMs`: when the
 * first of the latter is waited for no longer; null: there are none.
 */
function heldPlaces(profile: string, { memory, nowMs }: Context) {
  let places = 0;
  let untilMs: number | null = null;
  for (const { key, room } of memory.standbys.joining(profile)) {
    const { assigned, ending, judged, activeSaid } = memory.task(key);
    if (ending || judged || activeSaid) continue;
    const joinsUntilMs = (room?.atMs ?? nowMs) + JOIN_MS;
    if (assigned && joinsUntilMs <= nowMs) continue;
    places += 1;
    if (assigned) untilMs = soonest(untilMs, joinsUntilMs);
  }
  return { places, untilMs };
}

/** When the next launch for a profile is due. A first failure may be somebody's kill: at once. */
export function dueAfterTrouble(profile: string, { memory, nowMs }: Context): number {
  const trouble = memory.standbys.trouble(profile, nowMs);
  if (!trouble) return nowMs;
  const { failures, atMs } = trouble;
  return atMs + (failures < TROUBLED ? 0 : backoffMs(failures - 1, profile));
}
