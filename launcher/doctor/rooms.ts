/**
 * Second agents: a worker that is registered at LiveKit itself, without an agent name, is sent to
 * every room, beside the agent that the launcher gives it. Rooms are counted, never named.
 */
import { profileFor, type Profiles } from '../core/desired.ts';
import { agentIdentity, type Participant, type Room } from '../core/room.ts';
import { Slots } from '../lib/slots.ts';
import { type Finding, ok, type Seen, warning } from './finding.ts';
import type { SeenLiveKit } from './livekit.ts';

/** The newest ones: a worker that is sent to every room is in those too. */
const ROOMS_MAX = 200;
const AT_ONCE = 8;
const SHOWN_MAX = 3;

export const SECOND_AGENT_REMEDY =
  'a worker without an agent name is sent to every room: stop it, or give it an agent name ' +
  'and dispatch it explicitly';

export async function examineRooms(
  { livekit, rooms }: SeenLiveKit,
  profiles: Profiles,
  signal: AbortSignal,
): Promise<Seen<never>> {
  const served = rooms.filter((room) => profileFor(room, profiles).profile.launch !== false);
  const looked = served.toSorted((a, b) => b.createdAtMs - a.createdAtMs).slice(0, ROOMS_MAX);
  const slots = new Slots(AT_ONCE);
  const counts = await Promise.all(
    looked.map((room) =>
      slots.run(async () => {
        const participants = await livekit.listParticipants(room.name, signal);
        return { room, others: otherAgents(room, participants).length };
      }),
    ),
  );
  const crowded = counts.filter(({ others }) => others > 0).map(({ room }) => room);
  return { findings: [roomsFinding(looked.length, rooms.length, crowded)] };
}

/** Agents in a room that are not the one that a launcher gives it. */
export function otherAgents(
  { sid }: Pick<Room, 'sid'>,
  participants: readonly Participant[],
): readonly Participant[] {
  return participants.filter(
    ({ kind, identity }) => kind === 'agent' && identity !== agentIdentity(sid),
  );
}

function roomsFinding(looked: number, all: number, crowded: readonly Room[]): Finding {
  if (looked === 0) return ok('no room that profiles launch for is live: none to look into');
  const which = `${looked} of ${all} live rooms, those that profiles launch for`;
  if (crowded.length === 0) return ok(`no second agent in ${which}`);
  const sids = crowded.slice(0, SHOWN_MAX).map(({ sid }) => sid);
  const more = crowded.length > SHOWN_MAX ? ', …' : '';
  const text = `agents that are not ours in ${crowded.length} of ${which} (${sids.join(', ')}${more})`;
  return warning(text, SECOND_AGENT_REMEDY);
}
