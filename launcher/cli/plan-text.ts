/** A first plan as people read it: what would be done, then what each room waits for. Pure. */
import type { FirstPlan, PlannedAction, RoomPlan } from '../reconcile/preview.ts';
import { type Cell, nameCell, type Style, table, type TableLook } from './table.ts';

const HEAD = ['ROOM', 'PROFILE', 'DOES', 'TASK', 'REASON'];
const STYLES: Readonly<Record<PlannedAction['do'], Style | null>> = {
  launch: 'green',
  assign: 'green',
  release: 'yellow',
  end: 'yellow',
  stop: 'yellow',
  remove: 'dim',
  judge: 'dim',
  fail: 'red',
};
/** What is read of an end and changes nothing outside the launcher. */
const QUIET = new Set<PlannedAction['do']>(['judge']);
const STANDBY = '(standby)';

/** A table and a sum, each with its line's end. */
export function planText(plan: FirstPlan, look: TableLook): string {
  const rows = [
    ...plan.rooms.flatMap((room) => roomRows(room, look)),
    ...plan.standbys.filter(isLoud).map((action) => [STANDBY, '-', ...cells(action)]),
  ];
  return `${rows.length === 0 ? '' : `${table(HEAD, rows, look)}\n`}${sum(plan)}\n`;
}

function roomRows(plan: RoomPlan, look: TableLook): Cell[][] {
  const { name, sid, profile, state, reason, actions } = plan;
  const room = [nameCell(name || sid, look), profile ?? '-'];
  const loud = actions.filter(isLoud);
  if (loud.length > 0) return loud.map((action) => [...room, ...cells(action)]);
  return [[...room, { text: 'nothing', style: 'dim' }, '-', `${state}: ${reason}`]];
}

function cells({ do: what, task, template, reason }: PlannedAction): Cell[] {
  const why = template === null ? reason : `${reason} (${template})`;
  return [{ text: what, style: STYLES[what] }, task ?? '-', why];
}

function sum({ rooms, standbys, tasks }: FirstPlan): string {
  const all = [...rooms.flatMap(({ actions }) => actions), ...standbys].filter(isLoud);
  const counts = new Map<string, number>();
  for (const { do: what } of all) counts.set(what, (counts.get(what) ?? 0) + 1);
  const seen = `${count(rooms.length, 'room')}, ${count(tasks, 'task')}`;
  const would = [...counts].map(([what, n]) => `${what} ${n}`).join(', ') || 'do nothing';
  return `Seen: ${seen}. The launcher would ${would}. Nothing was done.`;
}

function isLoud({ do: what }: PlannedAction): boolean {
  return !QUIET.has(what);
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
