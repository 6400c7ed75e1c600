/**
 * Clocks that disagree: tokens of LiveKit's protocols hold for minutes, from now on, and each side
 * forgives the other one minute. LiveKit's clock is read from the Date header of any answer.
 */
import { CLOCK_SKEW_MAX_SECONDS } from '../lib/token-fault.ts';
import { type Finding, ok, type Seen, unseen, warning, wrong } from './finding.ts';

/** Too little to matter to tokens; a clock that is kept by NTP is never off by as much. */
const NOTABLE_MS = 5_000;
/** A Date header counts whole seconds. */
const HEADER_MIDDLE_MS = 500;

export interface OtherClock {
  /** Whose it is, for people. */
  readonly name: string;
  /** How far it is ahead of ours. */
  readonly aheadMs: number;
}

/** How far the clock of whoever answers at `url` is ahead of ours; null where it does not say. */
export async function clockOf(url: string, signal: AbortSignal): Promise<number | null> {
  const askedAtMs = Date.now();
  const { headers } = await fetch(url, { signal });
  const answeredAtMs = Date.now();
  const theirsMs = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(theirsMs)) return null;
  return theirsMs + HEADER_MIDDLE_MS - (askedAtMs + answeredAtMs) / 2;
}

/** Compares LiveKit's clock, and the engine's where it was told, with ours. */
export async function examineClocks(
  livekitUrl: string,
  engine: OtherClock | null,
  signal: AbortSignal,
): Promise<Seen<never>> {
  const others = engine === null ? [] : [clockFinding(engine)];
  return { findings: [await livekitFinding(livekitUrl, signal), ...others] };
}

async function livekitFinding(url: string, signal: AbortSignal): Promise<Finding> {
  const name = `LiveKit at ${url}`;
  try {
    const aheadMs = await clockOf(url, signal);
    if (aheadMs !== null) return clockFinding({ name, aheadMs });
    return unseen(`${name} does not say its time (no Date header)`);
  } catch {
    return unseen(`${name} does not answer, nor say its time`);
  }
}

export function clockFinding({ name, aheadMs }: OtherClock): Finding {
  const offMs = Math.abs(aheadMs);
  if (offMs < NOTABLE_MS) return ok(`that of ${name} agrees with ours`);
  const off = `${Math.round(offMs / 1_000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`;
  const text = `that of ${name} is ${off}, which is ${new Date().toISOString()}`;
  const remedy = 'keep the clocks of both machines by NTP (`timedatectl` shows whether one is)';
  if (offMs < CLOCK_SKEW_MAX_SECONDS * 1_000) return warning(text, remedy);
  return wrong(`${text}: tokens and webhooks are refused`, remedy);
}
