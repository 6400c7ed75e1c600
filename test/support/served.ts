/** What a room and its task show once a launcher serves them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ParticipantInfo_Kind, ParticipantInfo_State } from '@livekit/protocol';
import type { RoomServiceClient } from 'livekit-server-sdk';
import { z } from 'zod';
import type { TaskRow } from '../../launcher/admin/ports.ts';
import type { Bed, TestLauncher } from './launcher.ts';
import { waitFor } from './wait.ts';

/** Two cores that many tasks share need their time. */
const SERVED_DEADLINE_MS = 30_000;
const ENDED_DEADLINE_MS = 20_000;

type Participant = Awaited<ReturnType<RoomServiceClient['listParticipants']>>[number];
type RoomsOf = Pick<Bed, 'rooms'>;

export interface Served {
  readonly sid: string;
  /** The task that the agent names. */
  readonly key: string;
  readonly agent: Participant;
}

/** The agents in a room, whichever way they came in. */
export async function agentsIn({ rooms }: RoomsOf, name: string): Promise<Participant[]> {
  const all = await rooms.listParticipants(name);
  return all.filter(({ kind }) => ParticipantInfo_Kind[kind] === 'AGENT');
}

export function isActive({ state }: Participant): boolean {
  return ParticipantInfo_State[state] === 'ACTIVE';
}

/** Waits until the live room of this name has exactly one agent, active and of the room's sid. */
export function served(bed: RoomsOf, name: string): Promise<Served> {
  const look = async () => {
    const [room] = await bed.rooms.listRooms([name]);
    const agents = await agentsIn(bed, name);
    const [agent] = agents;
    if (
      !room ||
      !agent ||
      !isActive(agent) ||
      agents.length > 1 ||
      agent.identity !== `agent-${room.sid}`
    ) {
      throw new Error(`agents: ${agents.map(({ identity }) => identity).join() || 'none'}`);
    }
    return { sid: room.sid, key: agent.attributes['room-launcher.task'] ?? '', agent };
  };
  return waitFor(`the room ${name} to be served`, look, SERVED_DEADLINE_MS);
}

/** Waits for a task's end and gives its row. */
export function ended(launcher: TestLauncher, key: string): Promise<TaskRow> {
  const look = async () => {
    const row = (await launcher.tasks()).find((task) => task.key === key);
    if (row?.phase !== 'ended') throw new Error(`it is ${row?.phase ?? 'not listed'}`);
    // The verdict follows the end by one pass.
    return row.verdict === null ? null : row;
  };
  return waitFor(`the end of ${key}`, look, ENDED_DEADLINE_MS);
}

/** Waits until LiveKit lists no room of this name. */
export async function roomOver({ rooms }: RoomsOf, name: string): Promise<void> {
  const look = async () => (await rooms.listRooms([name])).length === 0;
  await waitFor(`the room ${name} to be over`, look, ENDED_DEADLINE_MS);
}

/** Waits for `count` more full passes: time enough for anything wrong to be done again. */
export async function fullPasses(launcher: TestLauncher, count: number): Promise<void> {
  const passes = () =>
    launcher.events('pass.run').filter(({ rooms }) => rooms !== undefined).length;
  const wanted = passes() + count;
  await waitFor(`${count} more full passes`, () => passes() >= wanted);
}

/** Pid of the task's main process, which leads the task's process group. */
export async function taskPid(launcher: TestLauncher, key: string): Promise<number> {
  const text = await readFile(join(launcher.taskFolder(key), 'started'), 'utf8');
  return z.object({ pid: z.int().min(2) }).parse(JSON.parse(text)).pid;
}

/** Keys of the launches that this launcher asked for. */
export function launches(launcher: TestLauncher): string[] {
  return launcher.events('task.launch').map(({ task }) => String(task));
}
