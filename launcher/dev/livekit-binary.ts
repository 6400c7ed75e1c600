/**
 * Finds a `livekit-server` for the demo and the tests, or makes one and keeps it in a cache.
 *
 * The order goes from what the user says to what costs time: LIVEKIT_SERVER_BIN, PATH, the cache,
 * the Docker image (the binary is copied out of it: it is static, and as a plain process it has the
 * same life, ports and signals as any other), then `go install`.
 */
import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { command, type Env } from './command.ts';

export const LIVEKIT_VERSION = '1.13.5';
const IMAGE = `livekit/livekit-server:v${LIVEKIT_VERSION}`;
const GO_PACKAGE = `github.com/livekit/livekit-server/cmd/server@v${LIVEKIT_VERSION}`;
/** What LiveKit's own go.mod asks for. */
const GO_MINOR_MIN = 26;
const PROBE_TIMEOUT_MS = 5_000;
const PULL_TIMEOUT_MS = 300_000;
const GO_INSTALL_TIMEOUT_MS = 1_200_000;
const PROGRESS_INTERVAL_MS = 3_000;

export interface FindOptions {
  readonly env: Env;
  /** Called with one line each few seconds while something slow runs. */
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal;
}

type WhyNot = string | null;

/** No server and no way to make one; `message` names the ways. */
export class LiveKitServerMissing extends Error {
  override readonly name = 'LiveKitServerMissing';
}

/**
 * Path of an executable `livekit-server`. Throws `LiveKitServerMissing` when there is none and none
 * can be made, another error when LIVEKIT_SERVER_BIN names something that cannot be run.
 */
export async function findLiveKitServer(options: FindOptions): Promise<string> {
  const { env } = options;
  const named = env['LIVEKIT_SERVER_BIN'];
  if (named) {
    if (await executable(named)) return named;
    throw new Error(`LIVEKIT_SERVER_BIN is "${named}", which is no executable file`);
  }
  const cached = cachePath(env);
  for (const path of [...pathFolders(env).map((folder) => join(folder, 'livekit-server')), cached])
    if (await executable(path)) return path;

  const docker = await fromDocker(cached, options);
  if (docker === null) return cached;
  const go = await fromGo(cached, options);
  if (go === null) return cached;
  options.signal?.throwIfAborted();
  throw new LiveKitServerMissing(
    [
      `no livekit-server found. Any one of these helps:`,
      `  - put livekit-server ${LIVEKIT_VERSION} on PATH, or its path into LIVEKIT_SERVER_BIN`,
      `  - start a Docker engine that can pull ${IMAGE} (${docker})`,
      `  - install Go 1.${GO_MINOR_MIN} or newer: it is then built once (${go})`,
    ].join('\n'),
  );
}

/** Where a server that we made is kept; the version in its name retires it. */
export function cachePath(env: Env): string {
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] ?? homedir(), '.cache');
  return join(cache, 'room-launcher', 'bin', `livekit-server-${LIVEKIT_VERSION}`);
}

function pathFolders(env: Env): string[] {
  return (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}

async function executable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Null when it was made, else why not. */
async function fromDocker(target: string, options: FindOptions): Promise<WhyNot> {
  if (process.platform !== 'linux') return 'its binary runs on Linux only';
  const { env, signal } = options;
  const docker = (args: string[], timeoutMs: number) =>
    command('docker', args, { env, timeoutMs, ...(signal && { signal }) });
  const engine = await docker(['info', '--format', '{{.ServerVersion}}'], PROBE_TIMEOUT_MS);
  if (engine.code !== 0) return 'no engine answers now';
  const created = await patiently(`fetching ${IMAGE}`, options, () =>
    docker(['create', IMAGE], PULL_TIMEOUT_MS),
  );
  if (created.code !== 0) return `the engine has no such image: ${created.stderr}`;
  const container = created.stdout;
  return install(target, async (file) => {
    const copied = await docker(['cp', `${container}:/livekit-server`, file], PULL_TIMEOUT_MS);
    // Not bound to the abort: the container that we made must go in any case.
    await command('docker', ['rm', container], { env, timeoutMs: PROBE_TIMEOUT_MS });
    return copied.code === 0 ? null : `copying it out of the image failed: ${copied.stderr}`;
  });
}

/** Null when it was made, else why not. */
async function fromGo(target: string, options: FindOptions): Promise<WhyNot> {
  const { env, signal } = options;
  const version = await command('go', ['env', 'GOVERSION'], { env, timeoutMs: PROBE_TIMEOUT_MS });
  if (version.code !== 0) return 'no Go on PATH now';
  const minor = Number(/^go1\.(\d+)/.exec(version.stdout)?.[1] ?? 0);
  if (minor < GO_MINOR_MIN) return `Go on PATH is ${version.stdout}`;
  return install(target, async (file) => {
    const title = `building livekit-server ${LIVEKIT_VERSION} with Go, once, a few minutes`;
    const built = await patiently(title, options, () =>
      command('go', ['install', GO_PACKAGE], {
        env: { ...env, GOBIN: dirname(file) },
        timeoutMs: GO_INSTALL_TIMEOUT_MS,
        ...(signal && { signal }),
      }),
    );
    return built.code === 0 ? null : `go install: ${built.stderr}`;
  });
}

/**
 * Has `make` write a file in a folder of its own beside `target`, then moves it into place in one
 * step, so that two who make it at once, or one that is interrupted, leave no half file. The file is
 * called `server`, which is what `go install` names it.
 */
async function install(target: string, make: (file: string) => Promise<WhyNot>): Promise<WhyNot> {
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(`${target}.`);
  const file = join(folder, 'server');
  try {
    const whyNot = await make(file);
    if (whyNot !== null) return whyNot;
    await chmod(file, 0o755);
    await rename(file, target);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function patiently<T>(
  title: string,
  { progress }: FindOptions,
  work: () => Promise<T>,
): Promise<T> {
  const since = performance.now();
  const say = () => progress(`${title}: ${Math.round((performance.now() - since) / 1000)} s`);
  say();
  const ticking = setInterval(say, PROGRESS_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(ticking);
  }
}
