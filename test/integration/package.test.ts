/** The published package: what is in it, that npx runs it, that its types are usable, that links lead somewhere. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { ownFolder } from '../support/doc-shell.ts';
import { describeWith } from '../support/left-out.ts';
import { linksOf, ROOT } from '../support/markdown.ts';

const run = promisify(execFile);
const NPX_DEADLINE_MS = 300_000;

/** Each file of the package is one of these. */
const WANTED = [
  /^(package\.json|LICENSE|[A-Z]+\.md)$/,
  /^dist\/(launcher|agent-image|scripts)\/.+\.(js|mjs|d\.ts|d\.mts)$/,
  /^agent-image\/(Dockerfile|examples\/.+)$/,
  /^docs\/.+\.(md|png)$/,
  /^docs\/(benchmarks\.json|images\/benchmarks\/[a-z0-9-]+\.svg)$/,
  /^ops\/.+\.(yml|json)$/,
];
const NEEDED = [
  'dist/launcher/main.js',
  'dist/launcher/driver.d.ts',
  'dist/launcher/admin/ports.d.ts',
  'dist/agent-image/main.js',
  'dist/agent-image/examples/agent.js',
  'dist/scripts/keep-dependencies.mjs',
  'agent-image/Dockerfile',
  'README.md',
  'LICENSE',
];
const TYPES_USER = `
import { DriverError, type Driver, type ObservedTask } from 'livekit-room-launcher/driver';
import type { RoomRow, TaskRow } from 'livekit-room-launcher/api';
export const phaseOf = (task: ObservedTask): TaskRow['phase'] => task.phase;
export const stateOf = (room: RoomRow): 'serving' | undefined =>
  room.state === 'serving' ? room.state : undefined;
export const close = (driver: Driver) => driver[Symbol.asyncDispose]();
export const problem: Error = new DriverError('invalid', 'no');
`;

const cleanup = new Cleanup();
let folder: string;
let tarball: string;
let files: string[];

beforeEach(async () => {
  folder = await ownFolder(cleanup);
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse((await run('npm', args, { cwd: ROOT })).stdout) as [
    { filename: string; files: { path: string }[] },
  ];
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }) => path);
});
afterEach(() => cleanup.run());

test('holds what it should, and nothing else', async () => {
  expect(files).toEqual(expect.arrayContaining(NEEDED));
  expect(files.filter((path) => !WANTED.some((form) => form.test(path)))).toEqual([]);
});

test('has what its README links to', async () => {
  const paths = linksOf('README.md')
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .map(({ target }) => target.split('#')[0] ?? '');
  expect(paths.length).toBeGreaterThan(10);
  // Dead links are another test's.
  const there = paths.filter((path) => existsSync(join(ROOT, path)));
  expect(there.filter((path) => !files.includes(path))).toEqual([]);
});

test('has types that a strict program can use', async () => {
  await run('tar', ['-C', folder, '-xzf', tarball]);
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'livekit-room-launcher');
  await mkdir(modules);
  await cp(join(folder, 'package'), own, { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(own, 'node_modules'));
  await symlink(join(ROOT, 'node_modules/@types'), join(modules, '@types'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  expect(await compiled(TYPES_USER)).toBe('');
  const wrong = 'export const wrong: number = phaseOf({} as ObservedTask);';
  expect(await compiled(`${TYPES_USER}${wrong}`)).toMatch(/error TS2322/);
});

/** What the compiler says of a program beside the package. */
async function compiled(text: string): Promise<string> {
  await writeFile(join(folder, 'user.ts'), text);
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const args = ['--noEmit', '--strict', '--types', 'node', '--module', 'nodenext'];
  const lib = ['--target', 'es2023', '--lib', 'es2023,esnext.disposable'];
  const said = await run(tsc, [...args, ...lib, 'user.ts'], { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  );
  return said.stdout;
}

describeWith('livekit')('npx', () => {
  test('runs it in an empty folder', { timeout: NPX_DEADLINE_MS }, async () => {
    const empty = await ownFolder(cleanup);
    const npx = async (...args: string[]) => {
      const from = ['--yes', '--prefer-offline', '--package', tarball, '--', 'room-launcher'];
      return (await run('npx', [...from, ...args], { cwd: empty, env: process.env })).stdout;
    };
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await npx('--version')).toBe(`${version}\n`);
    expect(await npx('serve', '--help')).toContain('LAUNCHER_AGENT_IMAGE');
    expect(await npx('dev', '--engine', 'process')).toMatch(/task ended \(code 0\)/);
    expect(await readdir(empty)).toEqual([]);
  });
});
