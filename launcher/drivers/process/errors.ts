/** Tells the file system's errors apart, by code, in this one place. */
import { DriverError, type LaunchResult, type RefusalReason, type Retry } from '../../driver.ts';
import { reasonOf } from '../../lib/log.ts';

export type Refused = Extract<LaunchResult, { outcome: 'refused' }>;

/** The system's code of an error (`ENOENT`); empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

const DENIED = new Set(['EACCES', 'EPERM', 'EROFS']);

const REFUSALS: Readonly<Record<string, readonly [RefusalReason, Retry]>> = {
  EACCES: ['denied', 'never'],
  EPERM: ['denied', 'never'],
  EROFS: ['denied', 'never'],
  ENOSPC: ['quota', 'same-key'],
  EDQUOT: ['quota', 'same-key'],
  EMFILE: ['capacity', 'same-key'],
  ENFILE: ['capacity', 'same-key'],
  ENOMEM: ['capacity', 'same-key'],
};

/** An error of a step before the task had a name, as a refusal; null when it is none we know. */
export function refusalOf(error: unknown): Refused | null {
  const known = REFUSALS[codeOf(error)];
  if (known === undefined) return null;
  const [reason, retry] = known;
  return { outcome: 'refused', reason, retry, detail: reasonOf(error) };
}

export function invalid(detail: string, retry: Retry): Refused {
  return { outcome: 'refused', reason: 'invalid', retry, detail };
}

/** Any error of a verb other than `launch`, as the contract's. */
export function driverErrorOf(error: unknown): DriverError {
  if (error instanceof DriverError) return error;
  const kind = DENIED.has(codeOf(error)) ? 'denied' : 'unavailable';
  return new DriverError(kind, reasonOf(error), { cause: error });
}
