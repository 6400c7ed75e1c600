/** Which room or task a word on the command line means. Pure. */
import type { RoomRow, TaskRow } from '../admin/ports.ts';
import { CommandError } from './io.ts';
import { oneLine } from './table.ts';

export interface Seen {
  readonly rooms: readonly RoomRow[];
  readonly tasks: readonly TaskRow[];
}

export type NamedTask = TaskRow & { readonly key: string };
export type Chosen =
  | { readonly kind: 'room'; readonly room: RoomRow }
  | { readonly kind: 'task'; readonly task: NamedTask };

/** So many of those that a word could mean are named. */
const NAMED_MAX = 5;

/**
 * A whole task key, else a room's sid, else a room's name, else the beginning of one task key, ended
 * tasks only where no live one begins so. A name that two rooms have (one is over, its task still
 * ends) means neither. Throws `CommandError`.
 */
export function choose(word: string, { rooms, tasks }: Seen): Chosen {
  const keyed = tasks.filter((task): task is NamedTask => task.key !== null);
  const exact = keyed.find(({ key }) => key === word);
  if (exact) return { kind: 'task', task: exact };
  // A client cannot take a room's place by giving another one its sid for a name.
  const bySid = rooms.find(({ sid }) => sid === word);
  if (bySid) return { kind: 'room', room: bySid };
  const named = rooms.filter(({ name }) => name === word);
  const [room] = named;
  if (room && named.length === 1) return { kind: 'room', room };
  if (room) {
    const lives = named.map(({ sid, state }) => `${sid} (${state})`);
    throw ambiguous(word, 'rooms', lives, 'name one by its sid');
  }
  const all = word === '' ? [] : keyed.filter(({ key }) => key.startsWith(word));
  const live = all.filter(({ phase }) => phase !== 'ended');
  const begun = live.length > 0 ? live : all;
  const [task] = begun;
  if (task && begun.length === 1) return { kind: 'task', task };
  if (task) {
    const keys = begun.map(({ key }) => key);
    throw ambiguous(word, 'tasks', keys, 'give more of the key');
  }
  const where = 'room-launcher rooms and room-launcher tasks show what there is';
  throw new CommandError(`there is no room or task ${quoted(word)}; ${where}`);
}

/** In quotes, on one line. */
export function quoted(text: string): string {
  return `"${oneLine(text)}"`;
}

function ambiguous(word: string, what: string, all: readonly string[], advice: string) {
  const more = all.length > NAMED_MAX ? `, and ${all.length - NAMED_MAX} more` : '';
  const some = all.slice(0, NAMED_MAX).join(', ');
  return new CommandError(`${quoted(word)} means ${all.length} ${what}: ${some}${more}; ${advice}`);
}
