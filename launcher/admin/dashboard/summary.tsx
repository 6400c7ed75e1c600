/** What there is in numbers; those of rooms are buttons that narrow the tables to them. */
import type { RunState } from '../../core/remembered.ts';
import type { RoomRow, TaskRow } from '../ports.ts';
import { State } from './cells.tsx';
import { toneOf } from './rooms.tsx';
import { tookOf } from './words.ts';

/** Always there, so that nothing moves when a number becomes 0; the others only when there are any. */
const ALWAYS: readonly RunState[] = ['serving', 'failed'];
const ORDER: readonly RunState[] = [
  'serving',
  'running',
  'starting',
  'launching',
  'waiting',
  'ending',
  'served',
  'skipped',
  'failed',
];

export interface SummaryProps {
  readonly rooms: readonly RoomRow[];
  readonly standbys: readonly TaskRow[];
  /** How many standbys each profile keeps. */
  readonly wanted: ReadonlyMap<string, number>;
  /** From the webhook to the agent in its room, of the newest start-ups; undefined: none yet. */
  readonly medianMs: number | undefined;
}

export function Summary({ rooms, standbys, wanted, medianMs }: SummaryProps) {
  const counts = new Map<RunState, number>();
  for (const { state } of rooms) counts.set(state, (counts.get(state) ?? 0) + 1);
  const shown = ORDER.filter((state) => ALWAYS.includes(state) || counts.has(state));
  const doubled = rooms.filter(({ otherAgents }) => otherAgents > 0).length;
  const ready = standbys.filter(({ standby }) => standby === 'ready').length;
  const all = [...wanted.values()].reduce((sum, count) => sum + count, 0);
  return (
    <>
      <button type="button" class="figure" data-filter="">
        <b>{rooms.length}</b> {rooms.length === 1 ? 'room' : 'rooms'}
      </button>
      {shown.map((state) => (
        <button type="button" class="figure" data-filter={`state:${state}`}>
          <b>{counts.get(state) ?? 0}</b>{' '}
          <State tone={counts.has(state) ? toneOf(state) : 'idle'}>{state}</State>
        </button>
      ))}
      {doubled > 0 && (
        <button type="button" class="figure" data-filter="state:second-agent">
          <b>{doubled}</b> <State tone="warn">second agent</State>
        </button>
      )}
      {(all > 0 || standbys.length > 0) && (
        <a class="figure" href="#standbys">
          <b>
            {ready}/{all}
          </b>{' '}
          standbys ready
        </a>
      )}
      {medianMs !== undefined && (
        <a class="figure" href="#plots">
          <b>{tookOf(medianMs)}</b> median start
        </a>
      )}
    </>
  );
}
