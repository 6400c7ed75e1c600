/**
 * What one page shows, as data that two states can be compared by: lists of rows, parts, and what
 * tasks use. Only what differs is sent to browsers, and it is rendered once for all of them.
 */

/** A row of a table, rendered. */
export interface Row {
  readonly id: string;
  readonly html: string;
  /** What the filter looks at: words in lower case. */
  readonly find: string;
}

export interface Board {
  /** By the table's name, in the order shown. */
  readonly lists: Readonly<Record<string, readonly Row[]>>;
  /** HTML by the name of the place that it fills. */
  readonly parts: Readonly<Record<string, string>>;
  /** Cores and memory of tasks by key, in words. */
  readonly usage: Readonly<Record<string, readonly [cpu: string, memory: string]>>;
  /** There is more to show than was made this time. */
  readonly behind: boolean;
}

/** As browsers get it; `client.js` takes it in. */
export interface Patch {
  readonly lists: Readonly<Record<string, ListPatch>>;
  readonly parts: Readonly<Record<string, string>>;
  readonly usage?: Board['usage'];
}

export interface ListPatch {
  /** All ids in order; left out while they stay the same. Rows that it does not name are gone. */
  readonly order?: readonly string[];
  /** New and changed ones: id, HTML, words for the filter. */
  readonly rows: readonly (readonly [id: string, html: string, find: string])[];
}

export const EMPTY: Board = { lists: {}, parts: {}, usage: {}, behind: false };

/** What leads from one state to the next; null when they are the same. */
export function patchOf(before: Board, after: Board): Patch | null {
  const lists: Record<string, ListPatch> = {};
  for (const [name, rows] of Object.entries(after.lists)) {
    const patch = listPatch(before.lists[name], rows);
    if (patch !== null) lists[name] = patch;
  }
  const changed = Object.entries(after.parts).filter(([name, html]) => before.parts[name] !== html);
  const used = before.usage === after.usage ? {} : { usage: after.usage };
  if (changed.length === 0 && !('usage' in used) && Object.keys(lists).length === 0) return null;
  return { lists, parts: Object.fromEntries(changed), ...used };
}

function listPatch(before: readonly Row[] | undefined, after: readonly Row[]): ListPatch | null {
  const known = new Map(before?.map((row) => [row.id, row]));
  const rows = after
    .filter(({ id, html }) => known.get(id)?.html !== html)
    .map(({ id, html, find }) => [id, html, find] as const);
  const same = before?.length === after.length && after.every(({ id }, i) => before[i]?.id === id);
  if (same && rows.length === 0) return null;
  return { ...(!same && { order: after.map(({ id }) => id) }), rows };
}

/**
 * Rows rendered for one state of a page, per table: nothing else of the launcher runs meanwhile. What
 * is left over has its turn in the next one, soon after.
 */
const RENDERED_MAX = 200;

export interface RowMaker<T> {
  readonly id: (data: T) => string;
  readonly find: (data: T) => string;
  readonly html: (data: T) => string;
}

/** Renders a row anew only when what it is made of has changed. */
export class RowCache<T extends object> {
  readonly #make: RowMaker<T>;
  #known = new Map<string, { readonly data: T; readonly row: Row }>();
  /** Are there rows that had no turn? Such ones are shown as they were, or not yet. */
  behind = false;

  constructor(make: RowMaker<T>) {
    this.#make = make;
  }

  /** The rows of these data, in this order; others are forgotten. The data must stay as they are. */
  rows(all: readonly T[]): readonly Row[] {
    const next = new Map<string, { readonly data: T; readonly row: Row }>();
    let left = RENDERED_MAX;
    this.behind = false;
    for (const data of all) {
      const id = this.#make.id(data);
      const known = this.#known.get(id);
      if (known && isSame(known.data, data)) next.set(id, known);
      else if (left > 0) {
        left -= 1;
        const row = { id, find: this.#make.find(data), html: this.#make.html(data) };
        next.set(id, { data, row });
      } else {
        this.behind = true;
        if (known) next.set(id, known);
      }
    }
    this.#known = next;
    return [...next.values()].map(({ row }) => row);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Do two values of plain data say the same? */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [fieldsA, fieldsB] = [a as Fields, b as Fields];
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => isSame(fieldsA[name], fieldsB[name]))
  );
}
