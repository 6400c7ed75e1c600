/** What the rounds of a scenario came to, in one line for people. */

export interface Report {
  readonly name: string;
  readonly seed: number;
  readonly rounds: number;
  readonly rooms: number;
  readonly faults: number;
  /** One line for each, with its round. */
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly leaked: readonly string[];
  readonly touched: readonly string[];
  readonly untold: readonly string[];
  /** The longest time that two containers of one room ran at once. */
  readonly overlapMs: number;
  /** The longest time that a room had two agents. */
  readonly twoAgentsMs: number;
  /** From a room's being listed to its first agent. */
  readonly firstAgentMs: readonly number[];
  /** From an agent's end to the next one in its room. */
  readonly withoutAgentMs: readonly number[];
}

const BREACHES = ['lost', 'doubled', 'leaked', 'touched', 'untold'] as const;

export function summary(report: Report): string {
  const { name, seed, overlapMs, twoAgentsMs } = report;
  return [
    `${name} (seed ${seed}): ${counted([report])}`,
    `  longest with two containers ${seconds(overlapMs)}, with two agents ${seconds(twoAgentsMs)}`,
    `  first agent:   ${spread(report.firstAgentMs)}`,
    `  without agent: ${spread(report.withoutAgentMs)}`,
  ].join('\n');
}

/** All scenarios together. */
export function total(reports: readonly Report[]): string {
  return `${reports.length} scenarios: ${counted(reports)}`;
}

function counted(reports: readonly Report[]): string {
  const sum = (of: (report: Report) => number) => reports.reduce((all, one) => all + of(one), 0);
  const done = (['rounds', 'rooms', 'faults'] as const).map(
    (what) => `${sum((report) => report[what])} ${what}`,
  );
  const breaches = BREACHES.map((what) => `${what} ${sum((report) => report[what].length)}`);
  return `${done.join(', ')}; ${breaches.join(', ')}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Median, quartiles and extremes. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return 'never';
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))] ?? 0;
  const [least, lower, median, upper, most] = [0, 0.25, 0.5, 0.75, 1].map((p) => seconds(at(p)));
  return `median ${median}, quartiles ${lower} to ${upper}, ${least} to ${most}, n=${values.length}`;
}
