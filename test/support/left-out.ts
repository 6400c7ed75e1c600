/**
 * The only place where tests may be left out: on a machine that cannot have a part that they need,
 * where `npm test` says so loudly; never with CI=true.
 */
import process from 'node:process';
import { describe } from 'vitest';

/** As `npm test` finds them. */
type Part =
  | 'livekit'
  | 'docker'
  | 'foreign'
  | 'python-agents'
  | 'ministack'
  | 'compose'
  | 'aws-cli'
  | 'cfn-lint'
  | 'prometheus'
  | 'collector'
  | 'chromium';

/** `describe` for tests that need all of these parts of the machine's. */
export function describeWith(...parts: readonly Part[]) {
  const without = (process.env['ROOM_LAUNCHER_TEST_WITHOUT'] ?? '').split(',');
  return describe.skipIf(parts.some((part) => without.includes(part)));
}
