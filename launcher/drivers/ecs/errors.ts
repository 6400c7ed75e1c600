/**
 * Tells the service's errors apart, by exception name, HTTP status or system code, in this one
 * place. Its words are passed on to people and never read.
 */
import type { Failure } from '@aws-sdk/client-ecs';
import { DriverError, type LaunchResult, type RefusalReason, type Retry } from '../../driver.ts';
import { reasonOf } from '../../lib/log.ts';

export type Refused = Extract<LaunchResult, { outcome: 'refused' }>;

export function refused(reason: RefusalReason, retry: Retry, detail: string): Refused {
  return { outcome: 'refused', reason, retry, detail };
}

const THROTTLED = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
]);
const DENIED = new Set(['AccessDeniedException', 'AccessDenied', 'BlockedException']);
/** Credentials that are missing, wrong or over: whoever mends them mends all that follows. */
const UNKNOWN_CALLER = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
  'ExpiredTokenException',
  'ExpiredToken',
]);
const UNREACHABLE = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH']);

const HOLD_DEFAULT_MS = 1_000;
/** A longer wait that the service asks for is cut: a call must end within its caller's patience. */
const HOLD_MAX_MS = 20_000;

/** How long the service wants to be left alone; null for an error that is no throttling. */
export function throttledForMs(error: unknown): number | null {
  if (!isThrottled(error)) return null;
  const seconds = Number(headersOf(error)['retry-after']);
  return seconds > 0 ? Math.min(seconds * 1_000, HOLD_MAX_MS) : HOLD_DEFAULT_MS;
}

/** The tasks that hold the token of a launch with other parameters; null for any other error. */
export function tokenHolders(error: unknown): readonly string[] | null {
  if (nameOf(error) !== 'ConflictException') return null;
  const held = error instanceof Error && 'resourceIds' in error ? error.resourceIds : [];
  return Array.isArray(held) ? held.filter((arn) => typeof arn === 'string') : [];
}

/** A task, or whatever else was named, that the service does not know or cannot be the name of. */
export function isUnknownName(error: unknown): boolean {
  return nameOf(error) === 'InvalidParameterException';
}

/** What ECS says where no other name fits: its cause stands in its words alone. */
export function isClientException(error: unknown): boolean {
  return nameOf(error) === 'ClientException';
}

/** `about`: what was asked for, for people. Null where the service's decision is not known. */
export function refusalOf(error: unknown, about: string): Refused | null {
  const name = nameOf(error);
  const detail = `${about} (${name}): ${reasonOf(error)}`;
  if (isThrottled(error)) return refused('throttled', 'same-key', detail);
  if (UNKNOWN_CALLER.has(name)) return refused('denied', 'same-key', credentialsLine(error));
  if (DENIED.has(name)) return refused('denied', 'never', detail);
  if (name === 'LimitExceededException') return refused('quota', 'same-key', detail);
  return isOurFault(error) ? refused('invalid', 'never', detail) : null;
}

/** What to do about a reason of ECS for a task that it could not place. */
const ADVICE: Readonly<Record<string, string>> = {
  ATTRIBUTE: "no instance has what the task definition asks for: its CPU's architecture, perhaps",
  AGENT: 'the instance has lost its ECS agent',
  'RESOURCE:ENI': 'no instance has a network interface left',
  'RESOURCE:MEMORY': 'no instance has this much memory left',
  'RESOURCE:CPU': 'no instance has this many cores left',
};

/** Failures in an answer of success: no task, and a repeat of the key would get the same answer. */
export function failureRefusal(failures: readonly Failure[], about: string): Refused {
  const words = failures.map(({ reason = 'no reason given', detail, arn }) =>
    [reason, ADVICE[reason], detail, arn].filter((text) => text).join('; '),
  );
  return refused('capacity', 'next-key', reasonOf(`${about}: ${words.join(', ')}`));
}

/** Any error of a call, as the contract's; `about` is what was asked, for people. */
export function driverErrorOf(error: unknown, about: string): DriverError {
  if (error instanceof DriverError) return error;
  const name = nameOf(error);
  if (UNKNOWN_CALLER.has(name)) {
    // Worth repeating: whoever mends them does it from outside.
    return new DriverError('unavailable', credentialsLine(error), { cause: error });
  }
  const code = systemCodeOf(error);
  const advice = UNREACHABLE.has(code) ? ' (is AWS_REGION right, and is there a way out?)' : '';
  const message = `${about} (${code || name}): ${reasonOf(error)}${advice}`;
  return new DriverError(kindOf(error), message, { cause: error });
}

function kindOf(error: unknown): DriverError['kind'] {
  if (isThrottled(error)) return 'throttled';
  if (DENIED.has(nameOf(error))) return 'denied';
  return isOurFault(error) ? 'invalid' : 'unavailable';
}

function credentialsLine(error: unknown): string {
  const advice = 'give the launcher a role or credentials of AWS, and check its clock';
  return `AWS does not know the launcher (${nameOf(error)}): ${reasonOf(error)}; ${advice}`;
}

function isThrottled(error: unknown): boolean {
  return THROTTLED.has(nameOf(error)) || statusOf(error) === 429;
}

/** Did the service itself understand the request and turn it down? */
function isOurFault(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  const fault = error instanceof Error && '$fault' in error ? error.$fault : null;
  return fault === 'client' && status >= 400 && status < 500 && status !== 408;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function statusOf(error: unknown): number | null {
  const metadata = memberOf(error, '$metadata');
  const status = memberOf(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : null;
}

function headersOf(error: unknown): Readonly<Record<string, unknown>> {
  const headers = memberOf(memberOf(error, '$response'), 'headers');
  return typeof headers === 'object' && headers !== null ? { ...headers } : {};
}

/** The system's code of a call that got no answer (`ECONNRESET`); empty for any other error. */
function systemCodeOf(error: unknown): string {
  const code = memberOf(error, 'code');
  return typeof code === 'string' ? code : '';
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
