/** `room-launcher serve --dry-run` where LiveKit or the engine does not answer. */
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dryRun } from '../../launcher/dry-run.ts';
import { type Clock, systemClock } from '../../launcher/lib/clock.ts';
import { closeServer, listen } from '../../launcher/lib/listen.ts';

const NOBODY = '127.0.0.1:9';

let silent: Server;
let port: number;
let end: AbortController;
let said: { stdout: string; stderr: string };
/** Aborts once the silent server is asked, if it is set. */
let endsWhenAsked: boolean;

beforeEach(async () => {
  end = new AbortController();
  said = { stdout: '', stderr: '' };
  endsWhenAsked = true;
  silent = createServer(() => {
    if (endsWhenAsked) end.abort('SIGINT');
  });
  port = await listen(silent, { host: '127.0.0.1', port: 0 }, 'the test');
});
afterEach(() => closeServer(silent, systemClock, 0));

const to = (name: 'stdout' | 'stderr') => (text: string) => (said[name] += text);

/** By it, what is waited for is said at once. */
const clock: Clock = {
  ...systemClock,
  timer: (delayMs, fire) => systemClock.timer(delayMs === 1_000 ? 0 : delayMs, fire),
};

/** `seen` hears of each word on standard error, which is a terminal. */
function run(livekit: string, docker: string, seen: (text: string) => void = () => {}) {
  const env = {
    LIVEKIT_URL: `ws://${livekit}`,
    LIVEKIT_API_KEY: 'APIkey',
    LIVEKIT_API_SECRET: 'an-api-secret-of-thirty-six-letters!',
    LAUNCHER_DRIVER: 'docker',
    LAUNCHER_AGENT_IMAGE: 'mine:1',
    DOCKER_HOST: `tcp://${docker}`,
  };
  const stderr = {
    isTTY: true,
    write(text: string) {
      to('stderr')(text);
      seen(text);
    },
  };
  return dryRun(
    {},
    { env, cwd: '/', stdout: { write: to('stdout') }, stderr, signal: end.signal, clock },
  );
}

test.each(['LiveKit', 'the engine'])('its user need not wait for %s', async (who) => {
  const address = `127.0.0.1:${port}`;
  const asked = who === 'LiveKit' ? run(address, NOBODY) : run(NOBODY, address);
  expect(await asked).toBe(130);
  expect(said.stdout).toBe('');
  expect(said.stderr).not.toContain('room-launcher');
});

test('it says that it waits, from the first question on', async () => {
  endsWhenAsked = false;
  const asked = run(`127.0.0.1:${port}`, NOBODY, (text) => {
    if (text.includes('asking LiveKit and the engine')) end.abort('SIGINT');
  });
  expect(await asked).toBe(130);
});
