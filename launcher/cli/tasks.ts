/** `room-launcher tasks`: each task that the engine lists, live and ended, newest first. */
import type { RoomRow, TaskRow } from '../admin/ports.ts';
import { EXIT_OK } from '../lib/exit-codes.ts';
import { adminClient } from './admin-client.ts';
import { type CommandIo, printJson } from './io.ts';
import { type ListOptions, warnOfOutages } from './rooms.ts';
import { type Cell, lookOf, nameCell, type Style, table, type TableLook } from './table.ts';
import { duration, since } from './time.ts';

const HEAD = ['KEY', 'PHASE', 'ROOM', 'ATTEMPT', 'UPTIME', 'AGE', 'VERDICT', 'EXIT', 'REASON'];
const WIDE_HEAD = ['ID', ...HEAD];
const NONE = 'The engine has no task of this deployment. Ended ones are kept for ten minutes.';

const PHASES: Readonly<Record<TaskRow['phase'], Style | null>> = {
  starting: 'cyan',
  running: 'green',
  stopping: 'yellow',
  ended: 'dim',
};
const VERDICTS: Readonly<Record<string, Style>> = { served: 'green', failed: 'red', fatal: 'red' };
/** What a verdict means, where its word alone does not say it. */
const WORDS: Readonly<Record<string, string>> = { fatal: 'failed for good' };

/** Resolves with the exit code. */
export async function tasks(options: ListOptions, io: CommandIo): Promise<number> {
  const client = adminClient(io, options.admin);
  const rows = await client.tasks();
  if (options.json) printJson(io, rows);
  else {
    const named = await client.rooms();
    await warnOfOutages(client, io);
    if (rows.length === 0) io.stderr.write(`${NONE}\n`);
    else {
      const look = lookOf(io.stdout, io.env, options.wide);
      io.stdout.write(taskTable(rows, named, io.clock.nowMs(), look, options.wide));
    }
  }
  return EXIT_OK;
}

export function taskTable(
  rows: readonly TaskRow[],
  rooms: readonly RoomRow[],
  nowMs: number,
  look: TableLook,
  wide = false,
): string {
  const names = new Map(rooms.map(({ sid, name }) => [sid, name]));
  const newestFirst = rows.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  const cells = newestFirst.map((row): Cell[] => [
    ...(wide ? [row.taskId] : []),
    row.key ?? `? ${row.taskId}`,
    { text: row.phase, style: PHASES[row.phase] },
    nameCell(roomOf(row, names), look),
    row.attempt === null ? '-' : String(row.attempt),
    uptime(row, nowMs),
    since(row.createdAt, nowMs),
    {
      text: WORDS[row.verdict ?? ''] ?? row.verdict ?? '-',
      style: VERDICTS[row.verdict ?? ''] ?? null,
    },
    row.exitCode === null ? '-' : String(row.exitCode),
    row.key === null ? 'its key cannot be read: it is left alone' : row.reason,
  ]);
  return table(wide ? WIDE_HEAD : HEAD, cells, look);
}

/** The room's name, else its sid; of a task that waits for one, whether it can take it. */
function roomOf({ sid, standby }: TaskRow, names: ReadonlyMap<string, string>): string {
  if (standby !== null) return standby === 'ready' ? '(standby, ready)' : '(standby, not ready)';
  return sid === null ? '-' : names.get(sid) || sid;
}

function uptime({ startedAt, endedAt }: TaskRow, nowMs: number): string {
  if (startedAt === null) return '-';
  const endMs = endedAt === null ? nowMs : Date.parse(endedAt);
  return duration(endMs - Date.parse(startedAt));
}
