/** What `build` tells from its command line and a package alone, before anything is built. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TESTED_AGENTS } from '../../../agent-image/load-agent.ts';
import { manifestProblem, readPackage } from '../../../launcher/build/agent-package.ts';
import { build } from '../../../launcher/build/command.ts';
import { tagProblem } from '../../../launcher/build/tag.ts';

const TESTED = '1.9.0';
const AGENTS = { '@livekit/agents': '^1.9.0' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-package-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(join(folder, path), text);
  }
}

describe('the tag', () => {
  test.each([
    'agent',
    'my-agent:1',
    'a.b/c__d/e-f:Latest.2_x',
    'registry.example.com:5000/team/agent:v1',
    'localhost/agent',
  ])('%s', (tag) => expect(tagProblem(tag)).toBeNull());

  test.each([
    '',
    'My-Agent',
    'agent:',
    'agent:-1',
    'agent 1',
    '-agent',
    'a//b',
    'agent@sha256:0123',
    `agent:${'x'.repeat(129)}`,
    'x'.repeat(256),
    '--push',
  ])('not %j', (tag) => expect(tagProblem(tag)).toContain(`--tag is "${tag}"`));
});

describe('the package', () => {
  test('is the nearest upwards, and the file is named from there', async () => {
    await put({ 'package.json': {}, 'a/package.json': { dependencies: AGENTS } });
    await put({ 'a/src/agent.ts': '' });
    const found = readPackage(join(folder, 'a/src/agent.ts'), TESTED);
    expect(found).toMatchObject({ folder: join(folder, 'a'), entry: 'src/agent.ts', lock: null });
    expect(found.warnings).toEqual([expect.stringMatching(/^no package-lock\.json: /)]);
  });

  test('of a link is that of the file behind it', async () => {
    await put({ 'a/package.json': { dependencies: AGENTS }, 'a/agent.js': '' });
    await symlink('a/agent.js', join(folder, 'link.js'));
    expect(readPackage(join(folder, 'link.js'), TESTED).folder).toBe(join(folder, 'a'));
  });

  test('has its lock file read, and no other tool’s', async () => {
    const packages = { 'node_modules/@livekit/agents': { version: '1.9.3' } };
    await put({ 'package.json': { dependencies: AGENTS }, 'agent.js': '', 'pnpm-lock.yaml': '' });
    const warned = readPackage(join(folder, 'agent.js'), TESTED).warnings;
    expect(warned).toEqual([expect.stringMatching(/^pnpm-lock\.yaml is not read: /)]);
    await put({ 'package-lock.json': { packages } });
    const found = readPackage(join(folder, 'agent.js'), TESTED);
    expect(found).toMatchObject({ lock: JSON.stringify({ packages }), warnings: [] });
  });

  test.each([
    ['agent.py', {}, 'give a .js, .mjs, .cjs, .ts, .mts or .cts file'],
    ['agent.d.ts', { 'agent.d.ts': '' }, 'give a .js'],
    ['agent.js', {}, 'is no file that can be read: check its path'],
    ['agent.js', { 'agent.js/x': '' }, 'is no file that can be read: check its path'],
    ['agent.js', { 'agent.js': '', 'package.json': '{' }, 'package.json cannot be read'],
    ['agent.js', { 'agent.js': '', 'package.json': { dependencies: [] } }, 'dependencies'],
    ['agent.js', { 'agent.js': '', 'package.json': {} }, '@livekit/agents is missing'],
    [
      'agent.js',
      {
        'agent.js': '',
        'package.json': { dependencies: AGENTS },
        'package-lock.json': { packages: { 'node_modules/@livekit/agents': { version: '1.8.2' } } },
      },
      'has @livekit/agents 1.8.2 (asked for: ^1.9.0), and the runner works with 1.9: npm install',
    ],
  ])('%s of %j cannot be', async (file, files, why) => {
    await put(files);
    expect(() => readPackage(join(folder, file), TESTED)).toThrow(
      expect.objectContaining({ code: 64, message: expect.stringContaining(why) }),
    );
  });

  test.each([
    ['no agents-js', {}, {}, 'is missing: npm install --save-prod @livekit/agents@1.9.0'],
    ['for development alone', {}, { devDependencies: AGENTS }, 'among the devDependencies'],
    ['a neighbour', { ...AGENTS, mine: 'file:../mine' }, {}, 'mine is "file:../mine"'],
    ['of a workspace', { ...AGENTS, mine: 'workspace:*' }, {}, 'mine is "workspace:*"'],
    ['a workspace root', AGENTS, { workspaces: ['a'] }, 'workspaces, which are not supported'],
  ])('%s', (_, dependencies, rest, why) => {
    const manifest = { dependencies, devDependencies: {}, ...rest };
    expect(manifestProblem(manifest, null, TESTED)).toContain(why);
  });

  test.each([null, '1.9.0', '1.9.12'])('agents-js locked at %s is fine', (locked) => {
    expect(
      manifestProblem({ dependencies: AGENTS, devDependencies: {} }, locked, TESTED),
    ).toBeNull();
  });

  test.each(['1.8.9', '1.90.0', '2.9.0'])('agents-js locked at %s is not', (locked) => {
    const manifest = { dependencies: AGENTS, devDependencies: {} };
    expect(manifestProblem(manifest, locked, TESTED)).toContain(locked);
  });

  test('the release that is asked for is the one that the runner knows', async () => {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
    const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(text);
    expect(dependencies['@livekit/agents']).toMatch(new RegExp(`^${TESTED_AGENTS}\\.\\d+$`));
  });
});

async function built(tag: string, files: Readonly<Record<string, unknown>>) {
  await put(files);
  let said = '';
  const terminal = { write: (text: string) => (said += text) };
  const signal = new AbortController().signal;
  const io = { env: { PATH: '' }, cwd: folder, stdout: terminal, stderr: terminal, signal };
  const code = await build('agent.ts', { tag, verbose: false, checkEnv: 'agent.env' }, io);
  return { code, said };
}

describe('the command, before it looks for Docker', () => {
  const good = { 'package.json': { dependencies: AGENTS }, 'agent.ts': '', 'agent.env': '' };

  test('refuses a tag', async () => {
    expect(await built('No', good)).toEqual({ code: 64, said: expect.stringContaining('--tag') });
  });

  test('refuses a file', async () => {
    const { code, said } = await built('yes', {});
    expect({ code, said }).toEqual({ code: 64, said: expect.stringContaining('agent.ts') });
    expect(said.trimEnd().split('\n')).toHaveLength(1);
  });

  test('refuses variables that are not there', async () => {
    const { 'agent.env': _, ...rest } = good;
    const { code, said } = await built('yes', rest);
    expect({ code, said }).toEqual({ code: 64, said: expect.stringContaining('agent.env') });
  });

  test('says what does not compile', async () => {
    const { code, said } = await built('yes', { ...good, 'agent.ts': 'const a: = 1;' });
    expect(code).toBe(1);
    expect(said).toContain('agent.ts:1:9');
    expect(said).toContain('room-launcher: compiling agent.ts failed');
  });

  test('and then says that there is none', async () => {
    const { code, said } = await built('yes', good);
    expect(code).toBe(1);
    expect(said).toContain('room-launcher: No docker client on PATH: install Docker.');
  });
});
