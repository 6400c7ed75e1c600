/** What goes into an image, what never does, and in which order it is built. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPackage } from '../../../launcher/build/agent-package.ts';
import { compile, formatOf } from '../../../launcher/build/compile.ts';
import { writeContext } from '../../../launcher/build/context.ts';
import { dockerfileOf, NODE_FLAG } from '../../../launcher/build/dockerfile.ts';
import { dockerIgnoreBelow, whyLeftOut } from '../../../launcher/build/left-out.ts';
import { stepOf } from '../../../launcher/build/steps.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'build-context-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

describe('by its name, a file', () => {
  test.each([
    '.env',
    '.env.local',
    '.env-production',
    '.envrc',
    '.ENV',
    'prod.env',
    '.npmrc',
    '.yarnrc.yml',
    '.netrc',
    '.ssh',
    '.aws',
    'server.key',
    'server.PEM',
    'id_ed25519',
    'secrets.yaml',
    'credentials.json',
    'service-account-prod.json',
  ])('%s may hold secrets', (name) => expect(whyLeftOut(name)).toBe('secret'));

  test.each(['node_modules', '.git', '.DS_Store'])('%s is left out without a word', (name) => {
    expect(whyLeftOut(name)).toBe('noise');
  });

  test.each([
    'agent.ts',
    'environment.ts',
    'env.ts',
    'keys.json',
    'secretary.txt',
    'model.onnx',
    'package.json',
    '.dockerignore',
    'gitignore',
  ])('%s is taken', (name) => expect(whyLeftOut(name)).toBeNull());
});

test('patterns of a .dockerignore hold below the package’s folder', () => {
  const text = '\uFEFF# a comment\n\n*.log\r\n/dist\n./tmp/\n!dist/keep\n**/x?\n.\n  data  \n';
  expect(dockerIgnoreBelow('a/b', text).split('\n')).toEqual([
    'a/b/*.log',
    'a/b/dist',
    'a/b/tmp/',
    '!a/b/dist/keep',
    'a/b/**/x?',
    'a/b/data',
    '',
  ]);
});

function of(entry: string) {
  return { folder, entry, manifest: { dependencies: {}, devDependencies: {} } };
}

describe('compiling', () => {
  test.each([
    ['agent.ts', undefined, 'esm'],
    ['agent.ts', 'module', 'esm'],
    ['agent.ts', 'commonjs', 'cjs'],
    ['agent.mts', 'commonjs', 'esm'],
    ['agent.cts', 'module', 'cjs'],
  ] as const)('%s in a package of type %s is %s', (entry, type, format) => {
    const manifest = { ...of(entry).manifest, ...(type && { type }) };
    expect(formatOf({ entry, manifest })).toBe(format);
  });

  test('brings the package’s own files along, and leaves packages where they are', async () => {
    await put({
      'src/agent.ts':
        "import { a } from './lib/a';\nimport { x } from 'x';\nimport { b } from '@/b';\n" +
        'enum E { one }\nexport default [a, b, x, E.one];\n',
      'src/lib/a.ts': "export const a: string = 'from a';\n",
      'src/b.ts': "export const b = 'from b';\n",
      'tsconfig.json': '{"compilerOptions": {"paths": {"@/*": ["./src/*"]}}}',
    });
    const { path, code } = await compile(of('src/agent.ts'));
    expect(path).toBe('src/agent.mjs');
    expect(code).toContain('"from a"');
    expect(code).toContain('"from b"');
    expect(code).toMatch(/^import \{ x \} from "x";$/m);
    expect((await compile(of('src/lib/a.ts'))).code).not.toContain(': string');
  });

  test('CommonJS asks for its packages by require', async () => {
    await put({ 'agent.cts': "import { x } from 'x';\nexport default x;\n" });
    const { path, code } = await compile(of('agent.cts'));
    expect(path).toBe('agent.cjs');
    expect(code).toContain('require("x")');
  });

  test('JavaScript is taken as it is', async () => {
    const text = '// as written\nexport default   1\n';
    await put({ 'agent.js': text });
    expect(await compile(of('agent.js'))).toEqual({ path: 'agent.js', code: text });
  });

  test('an import of a file that is not there fails', async () => {
    await put({ 'agent.ts': "import './nowhere';\n" });
    await expect(compile(of('agent.ts'))).rejects.toMatchObject({
      message: 'compiling agent.ts failed',
      output: expect.stringContaining('nowhere'),
    });
  });
});

describe('the context', () => {
  test('holds the package without what is left out, and says what may be secret', async () => {
    await put({
      'root/package.json': '{}',
      'root/dist/agent-image/main.js': '',
      'root/dist/launcher/gateway/wire.js': '',
      'root/dist/launcher/main.js': '',
      'root/dist/scripts/keep-dependencies.mjs': '',
      'root/agent-image/Dockerfile': 'FROM x AS runner\n',
      'mine/package.json': JSON.stringify({
        type: 'module',
        dependencies: { '@livekit/agents': '^1.9.0' },
        overrides: { a: '1' },
        scripts: { prepare: 'tsc' },
      }),
      'mine/package-lock.json': '{"packages": {}}',
      'mine/.dockerignore': 'docs\n',
      'mine/src/agent.js': 'the agent',
      'mine/src/.env.local': 'hush',
      'mine/src/node_modules/x.js': 'noise',
      'mine/data/words.txt': 'words',
      'mine/certs/server.key': 'hush',
      'mine/.git/config': 'noise',
      'mine/.npmrc': 'hush',
    });
    await chmod(join(folder, 'mine/data/words.txt'), 0o600);
    await chmod(join(folder, 'mine/data'), 0o700);
    await symlink('../.env', join(folder, 'mine/data/link'));
    const agent = readPackage(join(folder, 'mine/src/agent.js'), '1.9.0');
    const context = join(folder, 'context');
    await mkdir(context);
    const runner = { root: join(folder, 'root'), dockerfile: 'agent-image/Dockerfile' };
    const leftOut = await writeContext(context, agent, await compile(agent), runner);

    expect(leftOut.toSorted()).toEqual(['.npmrc', 'certs/server.key', 'src/.env.local']);
    const all = await readdir(context, { recursive: true, withFileTypes: true });
    const files = all
      .filter((one) => !one.isDirectory())
      .map((one) => join(one.parentPath, one.name).slice(context.length + 1));
    expect(files.toSorted()).toEqual([
      '.dockerignore',
      'Dockerfile',
      'agent/entry/src/agent.js',
      'agent/files/.dockerignore',
      'agent/files/data/link',
      'agent/files/data/words.txt',
      'agent/files/package-lock.json',
      'agent/files/package.json',
      'agent/files/src/agent.js',
      'agent/manifest/package-lock.json',
      'agent/manifest/package.json',
      'dist/agent-image/main.js',
      'dist/launcher/gateway/wire.js',
      'package.json',
      'scripts/keep-dependencies.mjs',
    ]);
    const read = (path: string) => readFile(join(context, path), 'utf8');
    expect(await read('.dockerignore')).toBe('agent/files/docs\n');
    expect(JSON.parse(await read('agent/manifest/package.json'))).toEqual({
      type: 'module',
      dependencies: { '@livekit/agents': '^1.9.0' },
      devDependencies: {},
      overrides: { a: '1' },
    });
    expect((await stat(join(context, 'agent/files/data/words.txt'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(context, 'agent/files/data'))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(context, 'agent/files/data/link'))).toBe('../.env');
  });
});

describe('the Dockerfile', () => {
  const text = dockerfileOf('FROM x AS runner\n', 'src/agent.mjs', true);

  test('installs before the agent’s files come in, so that those change no dependency', () => {
    const parts = [
      'COPY agent/manifest',
      'npm ci --omit=dev',
      'COPY agent/files',
      'COPY agent/entry',
    ];
    const places = parts.map((part) => text.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test('starts the agent that was compiled, by the runner', () => {
    expect(text).toMatch(/^FROM x AS runner\n/);
    expect(text).toContain('FROM runner AS image');
    expect(text).toContain('CMD ["/app/agent/src/agent.mjs"]');
    expect(text).not.toMatch(/^ENTRYPOINT/m);
    expect(text.match(/^USER .*$/gm)).toEqual(['USER 10001:10001']);
  });

  test('compiles ahead with the flags that tasks are started with', async () => {
    const runner = await readFile('agent-image/Dockerfile', 'utf8');
    const started = /^ENTRYPOINT (\[.*\])$/m.exec(runner)?.[1] ?? '[]';
    expect(JSON.parse(started)).toEqual(['node', NODE_FLAG, '/app/dist/agent-image/main.js']);
    const ahead = [...`${runner}${text}`.matchAll(/\bnode (.*) \S*(?:make|check)\.js\b/g)];
    expect(ahead.map(([, flags]) => flags)).toEqual([NODE_FLAG, NODE_FLAG, NODE_FLAG]);
  });

  test('without a lock file installs by package.json', () => {
    expect(dockerfileOf('', 'a.js', false)).toContain('npm install --no-package-lock --omit=dev');
  });

  test('has words for each of its stages', async () => {
    const runner = new URL('../../../agent-image/Dockerfile', import.meta.url);
    const whole = dockerfileOf(await readFile(runner, 'utf8'), 'a.js', true);
    const stages = [...whole.matchAll(/^FROM .* AS (\S+)$/gm)].map(([, name]) => name);
    expect(stages.length).toBeGreaterThan(6);
    // Only the repository's own image compiles, and has the example.
    const unknown = stages.filter((name) => stepOf(`#7 [${name} 2/4] RUN x`) === null);
    expect(unknown).toEqual(['compiled', 'example']);
  });
});

test.each([
  ['#21 [agent-dependencies 4/4] RUN npm ci', "installing your agent's dependencies"],
  ['#9 [dependencies 1/1] RUN npm prune', "installing the runner's dependencies"],
  ['#25 exporting to image', 'writing the image'],
  ['#1 [internal] load build definition from Dockerfile', null],
  ['#21 sha256:daa1cbb2b65eca19a364', null],
  ['#21 0.512 added 3 packages [image 1/2]', null],
])('%s is %s', (line, words) => expect(stepOf(line)).toBe(words));
