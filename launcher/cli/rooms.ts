/** `room-launcher rooms`: which room has which task, and why one has none. */
import type { RoomRow } from '../admin/ports.ts';
import { EXIT_OK } from '../lib/exit-codes.ts';
import { type AdminClient, adminClient } from './admin-client.ts';
import { type CommandIo, printJson } from './io.ts';
import {
  type Cell,
  lookOf,
  nameCell,
  oneLine,
  type Style,
  table,
  type TableLook,
} from './table.ts';
import { since } from './time.ts';

export interface ListOptions {
  readonly admin?: string;
  readonly json?: true;
  /** All columns, and nothing is cut to the terminal's width. */
  readonly wide?: true;
}

const HEAD = ['NAME', 'STATE', 'PROFILE', 'TASK', 'ATTEMPTS', 'AGE', 'REASON'];
const WIDE_HEAD = ['SID', ...HEAD];
const NONE = 'No room is live, and none that is over has a task left.';

const STYLES: Readonly<Record<RoomRow['state'], Style | null>> = {
  serving: 'green',
  failed: 'red',
  waiting: 'yellow',
  launching: 'cyan',
  starting: 'cyan',
  running: 'cyan',
  ending: 'dim',
  served: 'dim',
  skipped: 'dim',
};

/** Resolves with the exit code. */
export async function rooms(options: ListOptions, io: CommandIo): Promise<number> {
  const client = adminClient(io, options.admin);
  const rows = await client.rooms();
  if (options.json) printJson(io, rows);
  else {
    await warnOfOutages(client, io);
    if (rows.length === 0) io.stderr.write(`${NONE}\n`);
    else {
      const look = lookOf(io.stdout, io.env, options.wide);
      io.stdout.write(roomTable(rows, io.clock.nowMs(), look, options.wide));
    }
  }
  return EXIT_OK;
}

export function roomTable(
  rows: readonly RoomRow[],
  nowMs: number,
  look: TableLook,
  wide = false,
): string {
  const cells = rows.map((row): Cell[] => [
    ...(wide ? [row.sid] : []),
    nameCell(row.name || row.sid, look),
    { text: row.state, style: STYLES[row.state] },
    row.profile ?? '-',
    row.task ?? '-',
    String(row.attempts),
    since(row.createdAt, nowMs),
    row.reason,
  ]);
  return table(wide ? WIDE_HEAD : HEAD, cells, look);
}

/** What a table rests on is old while LiveKit or the engine is away: said before it. */
export async function warnOfOutages(client: AdminClient, { stderr }: CommandIo): Promise<void> {
  const { firstPassDone, livekit, engine } = await client.ready();
  const warn = (text: string) => stderr.write(`room-launcher: warning: ${oneLine(text)}\n`);
  for (const [name, part] of Object.entries({ LiveKit: livekit, 'the engine': engine })) {
    if (part.state !== 'down') continue;
    warn(
      `${name} has not answered since ${part.since}: ${part.reason}; this is what was seen before`,
    );
  }
  if (!firstPassDone) warn('the launcher has not looked at everything yet; ask again');
}
