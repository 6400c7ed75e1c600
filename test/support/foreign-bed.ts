/**
 * The three kinds of agents that tasks run, as images whose agent obeys orders by chat and leaves
 * files on a volume when its shutdown callback begins and ends.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { RoomServiceClient } from 'livekit-server-sdk';
import type { TaskRow } from '../../launcher/admin/ports.ts';
import type { LiveKitServer } from '../../launcher/dev/livekit-server.ts';
import type { Cleanup } from './cleanup.ts';
import { containerOf, derivedImage, type DockerBed, startDockerBed } from './docker-bed.ts';
import { docker } from './docker-engine.ts';
import { served, type Served } from './served.ts';
import { visit } from './visitor.ts';
import { waitFor } from './wait.ts';

export type Kind = 'python' | 'javascript' | 'runner';

const VOLUME = ['USER 0', 'RUN mkdir -m 1777 /evidence', 'VOLUME /evidence', 'USER 10001:10001'];

/** An end can follow the loss of an agent, which takes LiveKit and the launcher a minute to see. */
const ENDED_MS = 180_000;

const KINDS = {
  python: { from: 'room-launcher-agent-python:latest', source: 'agent.py', target: 'agent.py' },
  javascript: {
    from: 'room-launcher-agent-javascript:latest',
    source: 'agent.mjs',
    target: 'agent.js',
  },
  runner: { from: 'room-launcher-agent:latest', source: 'agent.mjs', target: 'agent.mjs' },
} as const;

/** How many rooms one after another and at once: `ROOM_LAUNCHER_TEST_ROOMS`, else these. */
export function roomCounts(inRow: number, atOnce: number): [number, number] {
  const [a = inRow, b = atOnce] = (process.env['ROOM_LAUNCHER_TEST_ROOMS'] ?? '')
    .split(',')
    .flatMap((text) => (text === '' ? [] : [Number(text)]));
  return [a, b];
}

/** An image of this kind with the obedient agent, or another one of `test/fixtures/foreign`. */
export async function obedientImage(
  cleanup: Cleanup,
  kind: Kind,
  lines: readonly string[] = [],
): Promise<string> {
  const { from, source, target } = KINDS[kind];
  const text = await readFile(
    fileURLToPath(new URL(`../fixtures/foreign/${source}`, import.meta.url)),
    'utf8',
  );
  const command = kind === 'runner' ? [`CMD ["${target}"]`] : [];
  return derivedImage(cleanup, from, { [target]: text }, [...VOLUME, ...command, ...lines]);
}

/** A server and a launcher whose tasks are obedient agents of this kind. */
export async function startObedientBed(
  cleanup: Cleanup,
  kind: Kind,
  env: Readonly<Record<string, string>> = {},
  lines: readonly string[] = [],
): Promise<DockerBed> {
  const image = await obedientImage(cleanup, kind, lines);
  return startDockerBed(cleanup, { image, env: { LAUNCHER_RESYNC_SECONDS: '1', ...env } });
}

/** Tells a room's agent by chat; the visitor who does stays in the room until `cleanup`. */
export async function tell(
  cleanup: Cleanup,
  { server }: { readonly server: LiveKitServer },
  { sid }: Pick<Served, 'sid'>,
  room: string,
  order: 'leave' | 'crash' | 'kill',
): Promise<void> {
  const visitor = cleanup.use(await visit(server, room, `who-says-${order}`));
  await visitor.asks(`agent-${sid}`, 'ready?');
  await visitor.say(order);
}

/** Waits until this attempt serves the room. */
export function servedBy(
  bed: { readonly rooms: RoomServiceClient },
  name: string,
  attempt: number,
  deadlineMs: number,
): Promise<Served> {
  const look = async () => {
    const seen = await served(bed, name);
    return seen.key === `r-${seen.sid}-${attempt}` ? seen : null;
  };
  return waitFor(`attempt ${attempt} to serve ${name}`, look, deadlineMs);
}

/** Waits for a task's end and its verdict, and gives its row. */
export function endOf({ launcher }: Pick<DockerBed, 'launcher'>, key: string): Promise<TaskRow> {
  const look = async () => {
    const row = (await launcher.tasks()).find((task) => task.key === key);
    return row?.phase === 'ended' && row.verdict !== null ? row : null;
  };
  return waitFor(`the end of ${key}`, look, ENDED_MS);
}

/** How far the shutdown callback of an ended task came, by the files that it left. */
export async function callbackOf(
  bed: DockerBed,
  key: string,
): Promise<'not run' | 'begun' | 'done'> {
  const { Id } = await containerOf(bed, key);
  if (await hasFile(Id, '/evidence/done')) return 'done';
  return (await hasFile(Id, '/evidence/begun')) ? 'begun' : 'not run';
}

async function hasFile(id: string, path: string): Promise<boolean> {
  try {
    const tar = await docker.getContainer(id).getArchive({ path });
    tar.resume();
    return true;
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return false;
    throw error;
  }
}
