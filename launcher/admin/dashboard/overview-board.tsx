/** Everything that there is, as the board of the page at `/`. */
import { parseRoomKey } from '../../core/key.ts';
import { isTaskKey } from '../../driver.ts';
import type { AdminHost, NumberedEvent, StartUp, TaskRow } from '../ports.ts';
import { type Board, RowCache } from './board.ts';
import { EVENT_ROWS, type EventView } from './events.tsx';
import { Outages } from './page.tsx';
import { Plots, quantile } from './plots.tsx';
import { ROOM_ROWS } from './rooms.tsx';
import { Legend, scaleFor, stepsOf, totalMs } from './start-up-bar.tsx';
import { Summary } from './summary.tsx';
import { END_ROWS, type EndView, STANDBY_ROWS, TASK_ROWS, type TaskView } from './tasks.tsx';
import { htmlOf } from './html.ts';

const EVENTS_MAX = 300;
const ENDS_MAX = 100;
/** Plots are for minutes: they are not drawn for every event. */
const PLOTS_EVERY_MS = 5_000;
/** The newest start-ups, which the histograms and the bars' scale are made of. */
const START_UPS_MAX = 500;

/** What is drawn of the start-ups, and when it was. */
interface Drawn {
  readonly atMs: number;
  readonly scaleMs: number;
  readonly plots: string;
  readonly legend: string;
  readonly medianMs: number | undefined;
}

export class OverviewBoard {
  readonly #host: AdminHost;
  readonly #nowMs: () => number;
  readonly #rooms = new RowCache(ROOM_ROWS);
  readonly #tasks = new RowCache(TASK_ROWS);
  readonly #standbys = new RowCache(STANDBY_ROWS);
  readonly #ends = new RowCache(END_ROWS);
  readonly #events = new RowCache(EVENT_ROWS);
  #drawn: Drawn = { atMs: -Infinity, scaleMs: 1_000, plots: '', legend: '', medianMs: undefined };

  constructor(host: AdminHost, nowMs: () => number) {
    this.#host = host;
    this.#nowMs = nowMs;
  }

  /** As it is now; `usage` as it was last looked at. */
  board(usage: Board['usage']): Board {
    const host = this.#host;
    const rooms = host.rooms().toSorted(byTime((room) => room.createdAt));
    const tasks = host.tasks().toSorted(byTime((task) => task.createdAt));
    const { scaleMs, plots, legend, medianMs } = this.#draw();
    const live = tasks.filter(({ phase, standby }) => phase !== 'ended' && standby === null);
    const standbys = tasks.filter(({ standby }) => standby !== null);
    const ended = tasks
      .filter(({ phase }) => phase === 'ended')
      .toSorted(byTime((task) => task.endedAt))
      .slice(0, ENDS_MAX);
    const { standbysWanted } = host.dashboard.about();
    return {
      lists: {
        rooms: this.#rooms.rows(rooms),
        tasks: this.#tasks.rows(live.map((task) => this.#taskView(task, scaleMs))),
        standbys: this.#standbys.rows(standbys.map((task) => ({ task, room: null }))),
        ends: this.#ends.rows(ended.map((task) => this.#endView(task))),
        events: this.#events.rows(newestEvents(host, () => true)),
      },
      parts: {
        outages: htmlOf(<Outages {...host.ready()} />),
        summary: htmlOf(<Summary {...{ rooms, standbys, medianMs }} wanted={standbysWanted} />),
        legend,
        plots,
      },
      usage,
      behind: [this.#rooms, this.#tasks, this.#standbys, this.#ends, this.#events].some(
        (cache) => cache.behind,
      ),
    };
  }

  #endView(task: TaskRow): EndView {
    return { task, room: task.sid === null ? null : this.#host.roomName(task.sid) };
  }

  #taskView(task: TaskRow, scaleMs: number): TaskView {
    const start = task.key === null ? undefined : this.#host.dashboard.startUp(task.key);
    // A copy: it grows while the task comes into its room.
    return { ...this.#endView(task), start: start && { ...start }, scaleMs };
  }

  #draw(): Drawn {
    const nowMs = this.#nowMs();
    if (nowMs - this.#drawn.atMs < PLOTS_EVERY_MS) return this.#drawn;
    const { dashboard } = this.#host;
    const startUps = dashboard.startUps().slice(-START_UPS_MAX);
    const plots = htmlOf(<Plots startUps={startUps} minutes={dashboard.minutes()} />);
    const timesMs = startUps.flatMap(timeOf).toSorted((a, b) => a - b);
    const scaleMs = scaleFor(timesMs);
    const legend = timesMs.length > 0 ? htmlOf(<Legend scaleMs={scaleMs} />) : '';
    const medianMs = quantile(timesMs, 0.5);
    return (this.#drawn = { atMs: nowMs, scaleMs, plots, legend, medianMs });
  }
}

/** The newest events that are kept and wanted, newest first. */
export function newestEvents(
  host: AdminHost,
  wanted: (event: NumberedEvent) => boolean,
): readonly EventView[] {
  const events = host.events.since().filter(wanted).slice(-EVENTS_MAX).toReversed();
  return events.map((event) => {
    const sid = sidOf(event);
    return { event, sid, room: sid === null ? null : host.roomName(sid) };
  });
}

/** The room that an event is about; one about a task may name the task alone. */
export function sidOf({ fields: { sid, task } }: NumberedEvent): string | null {
  if (typeof sid === 'string') return sid;
  return typeof task === 'string' && isTaskKey(task) ? (parseRoomKey(task)?.sid ?? null) : null;
}

/** Newest first, and what has no time yet before all; equal times stay as the host lists them. */
export function byTime<T>(timeOfRow: (row: T) => string | null): (a: T, b: T) => number {
  return (a, b) => {
    const [atA, atB] = [timeOfRow(a) ?? '9', timeOfRow(b) ?? '9'];
    return atA === atB ? 0 : atA < atB ? 1 : -1;
  };
}

function timeOf(start: StartUp): number[] {
  const ms = start.activeAtMs === undefined ? null : totalMs(stepsOf(start));
  return ms === null ? [] : [ms];
}
