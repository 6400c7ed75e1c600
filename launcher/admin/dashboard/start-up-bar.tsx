/**
 * A task's way into its room as a small picture: how long the launch waited, the engine and the agent
 * started, the job was handed over, and the agent took to join.
 */
import type { StartUp } from '../ports.ts';
import { tookOf } from './words.ts';

export interface Step {
  /** Also the name of its colour in the style sheet. */
  readonly name: 'wait' | 'start' | 'hand' | 'join';
  readonly words: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const WORDS = {
  wait: 'webhook to launch',
  start: 'launch to registered',
  hand: 'registered to assigned',
  join: 'assigned to active',
} as const;

/** Scales in milliseconds, so that bars can be compared and seldom change their length. */
const SCALES_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000];
const WIDTH = 120;
const HEIGHT = 10;

/**
 * The steps that are known, from the webhook on, or from the launch of an attempt that is not the
 * first. A standby was started before its room began: what lies before the webhook is left out.
 */
export function stepsOf(start: StartUp): readonly Step[] {
  const { heardAtMs, launchedAtMs, registeredAtMs, assignedAtMs, activeAtMs } = start;
  const zeroMs = (isFirst(start) ? heardAtMs : undefined) ?? launchedAtMs;
  if (zeroMs === undefined) return [];
  const ends = [
    ['wait', launchedAtMs],
    ['start', registeredAtMs],
    ['hand', assignedAtMs],
    ['join', activeAtMs],
  ] as const;
  const steps: Step[] = [];
  let fromMs = zeroMs;
  for (const [name, toMs] of ends) {
    if (toMs === undefined) continue;
    if (toMs > fromMs) steps.push({ name, words: WORDS[name], fromMs, toMs });
    fromMs = Math.max(fromMs, toMs);
  }
  return steps;
}

/** Did its room wait for nothing but this attempt? */
export function isFirst({ attempt = 1 }: StartUp): boolean {
  return attempt === 1;
}

/** From the first to the last known step; null when there are none. */
export function totalMs(steps: readonly Step[]): number | null {
  const [first, last] = [steps[0], steps.at(-1)];
  return first && last ? last.toMs - first.fromMs : null;
}

/** The smallest scale that nine of ten of these sorted times fit in. */
export function scaleFor(sorted: readonly number[]): number {
  const most = sorted[Math.floor(sorted.length * 0.9)] ?? 0;
  return SCALES_MS.find((scaleMs) => scaleMs >= most) ?? SCALES_MS.at(-1)!;
}

/** All steps in words, for whoever cannot see the picture. */
export function stepsInWords(steps: readonly Step[]): string {
  return steps.map(({ words, fromMs, toMs }) => `${words} ${tookOf(toMs - fromMs)}`).join(', ');
}

export function StartUpBar({ start, scaleMs }: { start: StartUp | undefined; scaleMs: number }) {
  const steps = start ? stepsOf(start) : [];
  const total = totalMs(steps);
  if (total === null) return <span class="muted">–</span>;
  const zeroMs = steps[0]?.fromMs ?? 0;
  const x = (atMs: number) => Math.min(((atMs - zeroMs) / scaleMs) * WIDTH, WIDTH);
  return (
    <span class="start-up">
      <svg width={WIDTH} height={HEIGHT} role="img">
        <title>{stepsInWords(steps)}</title>
        <rect class="track" width={WIDTH} height={HEIGHT} rx="2" />
        {steps.map(({ name, fromMs, toMs }) => (
          <rect
            class={`step-${name}`}
            x={x(fromMs).toFixed(1)}
            // A step that took no time to speak of is seen all the same.
            width={Math.max(x(toMs) - x(fromMs), 1).toFixed(1)}
            height={HEIGHT}
          />
        ))}
      </svg>
      <span class="took">
        {start?.activeAtMs === undefined ? '…' : ''}
        {tookOf(total)}
      </span>
    </span>
  );
}

export function Legend({ scaleMs }: { scaleMs: number }) {
  return (
    <p class="legend">
      {(['wait', 'start', 'hand', 'join'] as const).map((name) => (
        <span>
          <svg width="10" height="10" aria-hidden="true">
            <rect class={`step-${name}`} width="10" height="10" rx="2" />
          </svg>{' '}
          {WORDS[name]}
        </span>
      ))}
      <span class="muted">full width: {tookOf(scaleMs)}</span>
    </p>
  );
}
