/** Rooms and their agents as LiveKit shows them, cut to what decisions need. */

/** `RM_…`: one life of a room. A name can come back, a sid does not. */
export type RoomSid = string & { readonly __brand: 'RoomSid' };

export interface Room {
  readonly sid: RoomSid;
  /** Personal data: never in a key, a label or a metric. */
  readonly name: string;
  readonly metadata: string;
  readonly createdAtMs: number;
  /** Who is in it as LiveKit counts them, agents left out. For people: no decision rests on it. */
  readonly participants?: number;
}

export interface Participant {
  readonly identity: string;
  /** LiveKit's participant kind; decisions only tell agents from the rest. */
  readonly kind: 'agent' | 'other';
  readonly attributes: Readonly<Record<string, string>>;
}

/** The identity of a room's agent: one per room, so that a newer agent displaces an older one. */
export function agentIdentity(sid: RoomSid): string {
  return `agent-${sid}`;
}

/** Participant attribute that names the agent's task key. Trusted on our identity and kind only. */
export const TASK_ATTRIBUTE = 'room-launcher.task';

/** How many agents sit in a room beside its own: somebody else's workers serve it too. */
export function countOtherAgents(sid: RoomSid, participants: readonly Participant[]): number {
  const own = agentIdentity(sid);
  return participants.filter((p) => p.kind === 'agent' && p.identity !== own).length;
}

/** The agent that sits in a room. `taskKey` is what it claims: it may name no task of ours. */
export interface PresentAgent {
  readonly taskKey: string | null;
}

/** The room's agent among its participants, or null. */
export function presentAgent(
  sid: RoomSid,
  participants: readonly Participant[],
): PresentAgent | null {
  const found = participants.find((p) => p.kind === 'agent' && p.identity === agentIdentity(sid));
  return found ? { taskKey: found.attributes[TASK_ATTRIBUTE] ?? null } : null;
}
