/** The processes of a measurement, each pinned to a core, and how they are ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { API_KEY, API_SECRET } from './livekit.mjs';

export const DEPLOYMENT = 'bench';
export const GATEWAY_SECRET = 'the-secret-that-tasks-secrets-come-from';
const START_LIMIT_MS = 30_000;
const END_LIMIT_MS = 10_000;
export const LAUNCHER_CORE = 0;
const LOAD_CORE = 1;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A process on one core, `ask`ed over IPC; `end` ends it. */
export function pinned(core, name, { env = {}, stdout = 'ignore' } = {}) {
  const { PATH, HOME } = process.env;
  const args = ['-c', String(core), process.execPath, fileOf(name)];
  const stdio = ['ignore', stdout, 'inherit', 'ipc'];
  const child = spawn('taskset', args, { env: { PATH, HOME, ...env }, stdio });
  const exit = once(child, 'exit');
  exit.catch(() => {});
  return {
    child,
    async ask(message) {
      child.send(message);
      const gone = exit.then(() => Promise.reject(new Error(`${name} has ended`)));
      const [answer] = await Promise.race([once(child, 'message'), gone]);
      return answer;
    },
    async end() {
      if (child.connected) child.disconnect();
      const late = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
      await exit;
      clearTimeout(late);
    },
  };
}

/** LiveKit's part: `do(what, how)` resolves with its result. */
export async function startLiveKit() {
  const load = pinned(LOAD_CORE, 'load.mjs');
  const run = async (what, how = {}) => (await load.ask({ what, ...how })).result;
  const port = await run('listen');
  return { port, do: run, end: () => load.end() };
}

/** A launcher of LiveKit's rooms, with the engine in memory; `config`: its file. */
export async function startLauncher(livekitPort, { config } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'room-launcher-bench-'));
  const [log, file] = [join(dir, 'log'), join(dir, 'launcher.yaml')];
  if (config) writeFileSync(file, JSON.stringify(config));
  const stdout = openSync(log, 'w');
  const env = {
    LIVEKIT_URL: `ws://127.0.0.1:${livekitPort}`,
    LIVEKIT_API_KEY: API_KEY,
    LIVEKIT_API_SECRET: API_SECRET,
    LAUNCHER_DEPLOYMENT: DEPLOYMENT,
    LAUNCHER_AGENT_IMAGE: 'agent:bench',
    LAUNCHER_DOCKER_NETWORK: 'host',
    LAUNCHER_GATEWAY_SECRET: GATEWAY_SECRET,
    LAUNCHER_WEBHOOK_LISTEN: '127.0.0.1:0',
    LAUNCHER_GATEWAY_LISTEN: '127.0.0.1:0',
    LAUNCHER_ADMIN_LISTEN: '127.0.0.1:0',
    LAUNCHER_JOIN_DEADLINE_SECONDS: '3600',
    ...(config && { LAUNCHER_CONFIG: file }),
  };
  const launcher = pinned(LAUNCHER_CORE, 'launcher.mjs', { env, stdout });
  closeSync(stdout);
  const end = async () => {
    await launcher.end();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const ports = await listening(log, launcher.child);
    const valueOf = (what) => async () => (await launcher.ask(what)).value;
    const of = { cpuMs: valueOf('cpu'), rssBytes: valueOf('rss') };
    return { ...ports, ...of, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The ports that it says, once it listens. */
async function listening(log, child) {
  const said = await until('the launcher listens', START_LIMIT_MS, () => {
    if (child.exitCode !== null) throw new Error('the launcher did not start');
    return readFileSync(log, 'utf8').match(/.*"webhook_port".*/)?.[0];
  });
  const { webhook_port: webhook, gateway_port: gateway, admin_port: admin } = JSON.parse(said);
  return { webhook, gateway, admin };
}

/** Asks until there is an answer that is not nothing; resolves with it. */
export async function until(what, limitMs, ask) {
  const byMs = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > byMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(50);
  }
}
