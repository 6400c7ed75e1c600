/** What happened to a room when, as text for people: one list, or a table with medians. */

/** The steps of the main job in their usual order. */
export const STEPS = [
  'standby ready',
  'room created',
  'webhook',
  'launch accepted',
  'task registered',
  'assigned',
  'agent active',
  'greeted',
  'chat echo',
  'audio echo',
  'room deleted',
  'task ended',
] as const;
export type Step = (typeof STEPS)[number];

/**
 * Steps that not every run has: a standby waits for the room or a task is launched for it, and only
 * the examples' agents are asked to greet and to repeat.
 */
const OF_SOME_RUNS: ReadonlySet<Step> = new Set([
  'standby ready',
  'launch accepted',
  'task registered',
  'greeted',
  'chat echo',
  'audio echo',
]);

/** Unix times in milliseconds; a step that was not seen is missing. */
export type Marks = Partial<Record<Step, number>>;

export interface Timeline {
  readonly room: string;
  readonly marks: Marks;
  /** The task's exit code, once it has ended. */
  readonly exitCode?: number | null;
}

/** One room's steps below each other, in ms since its creation was asked for. */
export function renderTimeline({ marks, exitCode }: Timeline): string {
  const since = sinceCreation(marks);
  const rows = stepsOf([marks]).map((step): [string, string] => {
    const ms = since(step);
    const code = step === 'task ended' && exitCode !== undefined ? ` (code ${exitCode})` : '';
    return [`${step}${code}`, ms === undefined ? '-' : `${ms} ms`];
  });
  const left = Math.max(...rows.map(([name]) => name.length));
  const right = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `  ${name.padEnd(left)}  ${value.padStart(right)}`).join('\n');
}

/** Many rooms: a row each, then median, least and most of every step. Milliseconds. */
export function renderTimelines(timelines: readonly Timeline[]): string {
  const steps = stepsOf(timelines.map(({ marks }) => marks));
  const columns = steps.map((step) =>
    timelines.map(({ marks }) => sinceCreation(marks)(step)).map((ms) => ms ?? null),
  );
  const summary = (label: string, of: (sorted: readonly number[]) => number | undefined) => [
    label,
    ...columns.map((column) =>
      cell(of(column.filter((ms) => ms !== null).toSorted((a, b) => a - b))),
    ),
  ];
  const rows = [
    ['ms', ...steps],
    ...timelines.map(({ room }, index) => [
      room,
      ...columns.map((column) => cell(column[index] ?? undefined)),
    ]),
    summary('median', median),
    summary('min', (sorted) => sorted[0]),
    summary('max', (sorted) => sorted.at(-1)),
  ];
  return table(rows);
}

/** The middle value, or the rounded mean of the two middle ones. */
export function median(sorted: readonly number[]): number | undefined {
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) return undefined;
  return Math.round((upper + lower) / 2);
}

/** All of them, but for those of some runs that no room had. */
function stepsOf(all: readonly Marks[]): Step[] {
  return STEPS.filter((step) => !OF_SOME_RUNS.has(step) || all.some((marks) => step in marks));
}

function sinceCreation(marks: Marks): (step: Step) => number | undefined {
  const start = marks['room created'];
  return (step) => {
    const at = marks[step];
    return at === undefined || start === undefined ? undefined : at - start;
  };
}

function cell(ms: number | undefined): string {
  return ms === undefined ? '-' : String(ms);
}

/** First column to the left, the others to the right; two-word headings on two lines. */
function table([heading = [], ...rows]: readonly (readonly string[])[]): string {
  const top = heading.map((name) => name.split(' ').at(-2) ?? '');
  const bottom = heading.map((name) => name.split(' ').at(-1) ?? '');
  const lines = [top, bottom, ...rows];
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((text, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? text.padEnd(width) : text.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
}
