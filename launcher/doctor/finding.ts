/** What a check found, as data: the report says it to people, `--json` to programs. */

/** In the order in which they are said. */
export const CHECKS = [
  'settings',
  'ports',
  'livekit',
  'clocks',
  'engine',
  'images',
  'network',
  'rooms',
  'standbys',
  'webhook',
  'media',
  'agent',
] as const;

export type CheckName = (typeof CHECKS)[number];

/**
 * `wrong`: rooms will have no agent, or not a good one. `warning`: they may. `unseen`: it was not
 * looked at, and the text says why.
 */
export type Outcome = 'ok' | 'warning' | 'wrong' | 'unseen';

export interface Finding {
  readonly outcome: Outcome;
  /** One line: what there is, with its value. Never a secret, a room's name or an identity. */
  readonly text: string;
  /** One line: what to do about it; not for what is ok. */
  readonly remedy?: string;
}

export interface CheckReport {
  readonly check: CheckName;
  readonly findings: readonly Finding[];
  readonly tookMs: number;
}

/** What a check saw; without a value, what builds on it cannot be looked at. */
export interface Seen<T> {
  readonly findings: readonly Finding[];
  readonly value?: T;
}

export const ok = (text: string): Finding => ({ outcome: 'ok', text });
export const warning = (text: string, remedy?: string): Finding => said('warning', text, remedy);
export const wrong = (text: string, remedy?: string): Finding => said('wrong', text, remedy);
export const unseen = (text: string, remedy?: string): Finding => said('unseen', text, remedy);

function said(outcome: Outcome, text: string, remedy: string | undefined): Finding {
  return { outcome, text, ...(remedy !== undefined && { remedy }) };
}

/** Why a check was not made: what it builds on is not there. */
export const without = (check: CheckName) => `nothing can be said before \`${check}\` is well`;
