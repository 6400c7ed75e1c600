/**
 * Plots as inline SVG: how long each step of the newest start-ups took, and what was counted in each
 * of the last minutes.
 */
import type { Minute, StartUp } from '../ports.ts';
import { isFirst } from './start-up-bar.tsx';
import { tookOf } from './words.ts';

/** Upper bounds of the histograms' bins in milliseconds; one more bin holds what is above. */
const BINS_MS = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000];
const BIN_NAMES = ['', '0.1 s', '', '0.5 s', '1 s', '', '5 s', '10 s', '', '1 min', ''];
const WIDTH = 264;
const HEIGHT = 56;

type From = Exclude<keyof StartUp, 'attempt'>;
/** From one step to another; of several beginnings the first that is known counts. */
const MEASURES: readonly (readonly [title: string, from: From, to: From])[] = [
  ['Webhook to agent active', 'heardAtMs', 'activeAtMs'],
  ['Launch: engine’s answer', 'launchedAtMs', 'acceptedAtMs'],
  ['Accepted to registered', 'acceptedAtMs', 'registeredAtMs'],
  ['Registered to assigned', 'registeredAtMs', 'assignedAtMs'],
  ['Assigned to agent active', 'assignedAtMs', 'activeAtMs'],
];

/** By what is counted: the words of each event's outcomes with the tone of their colour. */
const COUNTERS = [
  {
    title: 'Webhooks',
    parts: [
      ['webhook.receive accepted', 'accepted', 'good'],
      ['webhook.receive refused', 'refused', 'bad'],
    ],
  },
  {
    title: 'Launches',
    parts: [
      ['task.launch accepted', 'accepted', 'good'],
      ['task.launch refused', 'refused', 'bad'],
      ['task.launch unknown', 'answer lost', 'warn'],
    ],
  },
  {
    title: 'Ends',
    parts: [
      ['task.end served', 'served', 'good'],
      ['task.end failed', 'failed', 'bad'],
      ['task.end fatal', 'failed for good', 'bad'],
      ['task.end displaced', 'made way', 'idle'],
      ['task.end unreadable', 'not readable', 'warn'],
    ],
  },
] as const;

/** The times of one measure, of those start-ups that went through both steps, sorted. */
function timesOf(startUps: readonly StartUp[], from: From, to: From): number[] {
  return (
    startUps
      // What a room waited for an earlier attempt is no time of this one.
      .filter((start) => from !== 'heardAtMs' || isFirst(start))
      .flatMap((start) => {
        const [a, b] = [start[from], start[to]];
        return a === undefined || b === undefined || b < a ? [] : [b - a];
      })
      .toSorted((a, b) => a - b)
  );
}

/** The value that `share` of the sorted values do not exceed. */
export function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)];
}

/** How many of the times fall into each bin. */
export function binned(timesMs: readonly number[]): readonly number[] {
  const bins = Array.from({ length: BINS_MS.length + 1 }, () => 0);
  for (const ms of timesMs) {
    const bin = BINS_MS.findIndex((upTo) => ms <= upTo);
    bins[bin < 0 ? BINS_MS.length : bin]! += 1;
  }
  return bins;
}

function Histogram({ title, timesMs }: { title: string; timesMs: readonly number[] }) {
  const bins = binned(timesMs);
  const most = Math.max(...bins, 1);
  const step = WIDTH / bins.length;
  const [p50, p95] = [quantile(timesMs, 0.5), quantile(timesMs, 0.95)];
  const words =
    p50 === undefined || p95 === undefined
      ? 'none yet'
      : `median ${tookOf(p50)} · 95 % within ${tookOf(p95)} · n=${timesMs.length}`;
  return (
    <figure>
      <figcaption>
        <b>{title}</b> <span class="muted">{words}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 14}`} role="img" aria-label={`${title}: ${words}`}>
        <line class="axis" x1="0" x2={WIDTH} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} />
        {bins.map((count, i) => {
          const height = (count / most) * (HEIGHT - 4);
          return (
            <>
              <rect
                class="plot"
                x={(i * step + 1).toFixed(1)}
                y={(HEIGHT - height).toFixed(1)}
                width={(step - 2).toFixed(1)}
                height={height.toFixed(1)}
              />
              <text x={((i + 0.5) * step).toFixed(1)} y={HEIGHT + 12}>
                {BIN_NAMES[i]}
              </text>
            </>
          );
        })}
      </svg>
    </figure>
  );
}

type Counter = (typeof COUNTERS)[number];

function PerMinute({ counter, minutes }: { counter: Counter; minutes: readonly Minute[] }) {
  const sumOf = (name: string) =>
    minutes.reduce((sum, { counts }) => sum + (counts.get(name) ?? 0), 0);
  const totals = minutes.map(({ counts }) =>
    counter.parts.reduce((sum, [name]) => sum + (counts.get(name) ?? 0), 0),
  );
  const most = Math.max(...totals, 1);
  const step = WIDTH / minutes.length;
  const sums = counter.parts.map(([name, words]) => [sumOf(name), words] as const);
  const words =
    sums
      .filter(([sum]) => sum > 0)
      .map(([sum, word]) => `${sum} ${word}`)
      .join(' · ') || 'none';
  return (
    <figure>
      <figcaption>
        <b>{counter.title}</b>{' '}
        <span class="muted">
          {words} in the last hour{most > 1 && ` · at most ${most}/min`}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + 14}`}
        role="img"
        aria-label={`${counter.title} in each minute of the last hour: ${words}`}
      >
        <line class="axis" x1="0" x2={WIDTH} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} />
        {minutes.flatMap(({ counts }, i) => {
          let y = HEIGHT;
          return counter.parts.flatMap(([name, , tone]) => {
            const height = ((counts.get(name) ?? 0) / most) * (HEIGHT - 4);
            if (height === 0) return [];
            y -= height;
            const at = { x: (i * step + 0.5).toFixed(1), y: y.toFixed(1) };
            return [
              <rect class={`plot-${tone}`} {...at} width={step - 1} height={height.toFixed(1)} />,
            ];
          });
        })}
        <text class="from" x="0" y={HEIGHT + 12}>
          1 h ago
        </text>
        <text class="to" x={WIDTH} y={HEIGHT + 12}>
          now
        </text>
      </svg>
    </figure>
  );
}

export function Plots(props: {
  readonly startUps: readonly StartUp[];
  readonly minutes: readonly Minute[];
}) {
  return (
    <>
      {MEASURES.map(([title, from, to]) => (
        <Histogram title={title} timesMs={timesOf(props.startUps, from, to)} />
      ))}
      {COUNTERS.map((counter) => (
        <PerMinute counter={counter} minutes={props.minutes} />
      ))}
    </>
  );
}
