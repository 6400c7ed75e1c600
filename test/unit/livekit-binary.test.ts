/** The ways to a LiveKit server, with commands of our own on PATH in place of docker and go. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cachePath,
  findLiveKitServer,
  LiveKitServerMissing,
} from '../../launcher/dev/livekit-binary.ts';

let folder = '';
let env = { PATH: '', HOME: '' };
const lines: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livekit-binary-test-'));
  env = { PATH: join(folder, 'path'), HOME: join(folder, 'home') };
  lines.length = 0;
  await mkdir(env.PATH);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const find = (more: Record<string, string> = {}) =>
  findLiveKitServer({ env: { ...env, ...more }, progress: (line) => lines.push(line) });

/** An executable shell script; the shell is found without PATH. */
async function script(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
const onPath = (name: string, body: string) => script(join(env.PATH, name), body);

const GO = `case "$1" in
env) echo go1.26.1;;
install) echo "built $2" > "$GOBIN/server";;
esac`;
const DOCKER = `echo "$*" >> "\${0%/*}/calls"
case "$1" in
info) echo 28.0;;
create) echo "pulling" >&2; echo c0ffee;;
cp) [ "$2" = c0ffee:/livekit-server ] && echo copied > "$3";;
rm) ;;
esac`;

describe('findLiveKitServer', () => {
  it('takes LIVEKIT_SERVER_BIN first, and nothing else when it is wrong', async () => {
    await onPath('livekit-server', '');
    const named = await script(join(folder, 'mine'), '');
    expect(await find({ LIVEKIT_SERVER_BIN: named })).toBe(named);
    await expect(find({ LIVEKIT_SERVER_BIN: join(folder, 'typo') })).rejects.toThrow(
      /LIVEKIT_SERVER_BIN is ".*typo"/,
    );
    await expect(find({ LIVEKIT_SERVER_BIN: folder })).rejects.toThrow(/no executable file/);
  });

  it('takes PATH before the cache, and the cache before making one', async () => {
    await onPath('go', GO);
    const cached = await script(cachePath(env), '');
    expect(await find()).toBe(cached);
    const installed = await onPath('livekit-server', '');
    expect(await find()).toBe(installed);
    expect(lines).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('copies it out of the Docker image', async () => {
    await onPath('docker', DOCKER);
    expect(await find()).toBe(cachePath(env));
    expect(await readFile(cachePath(env), 'utf8')).toBe('copied\n');
    expect(await readFile(join(env.PATH, 'calls'), 'utf8')).toMatch(/^rm c0ffee$/m);
  });

  it('builds it with Go, says so, and leaves nothing else in the cache', async () => {
    await onPath('docker', 'exit 1');
    await onPath('go', GO);
    expect(await find()).toBe(cachePath(env));
    expect(await readFile(cachePath(env), 'utf8')).toMatch(/^built github.com\/livekit/);
    expect(await readdir(dirname(cachePath(env)))).toHaveLength(1);
    expect(lines[0]).toMatch(/^building livekit-server .* with Go/);
  });

  it('can be made by two at once', async () => {
    await onPath('go', GO);
    expect(await Promise.all([find(), find()])).toEqual([cachePath(env), cachePath(env)]);
    expect(await readdir(dirname(cachePath(env)))).toHaveLength(1);
  });

  it('names the ways, and why each failed', async () => {
    await expect(find()).rejects.toThrow(LiveKitServerMissing);
    await expect(find()).rejects.toThrow(/LIVEKIT_SERVER_BIN[^]*no engine[^]*no Go on PATH/);
    await onPath('go', 'echo go1.25.4');
    await expect(find()).rejects.toThrow(/Go on PATH is go1\.25\.4/);
    await onPath('go', '[ "$1" = env ] && echo go1.26.0 || { echo "no network" >&2; exit 1; }');
    await expect(find()).rejects.toThrow(/go install: no network/);
    expect(await readdir(dirname(cachePath(env)))).toEqual([]);
  });
});
