/** A bundle of a package made for it: one copy of what is shared, each file still in its place. */
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lazyModule, lazyName } from '../../../agent-image/bundle/lazy.ts';
import { withPlace } from '../../../agent-image/bundle/places.ts';
import { bundle } from '../../../agent-image/bundle/bundler.ts';
import { bundleOf, findBundle, inputOf, runBundle } from '../../../agent-image/bundled.ts';
import { createLog } from '../../../agent-image/log.ts';

const AGENTS = 'node_modules/@livekit/agents';
/** Enough of agents-js to define an agent; ships two formats, as the real one does. */
const LIBRARIES: Readonly<Record<string, string>> = {
  [`${AGENTS}/package.json`]: JSON.stringify({
    name: '@livekit/agents',
    type: 'module',
    exports: { import: './index.js', require: './index.cjs' },
  }),
  [`${AGENTS}/index.js`]:
    "export const version = '1.9.0';\nexport const isAgent = (it) => it?.entry !== undefined;\n" +
    "export const defineAgent = (it) => it;\nexport const format = 'import';\n" +
    'export class InferenceRunner { static registeredRunners = {} }\n',
  [`${AGENTS}/index.cjs`]: "exports.format = 'require'; exports.isAgent = () => false;",
  [`${AGENTS}/node_modules/@opentelemetry/api/index.js`]: '',
  'node_modules/@livekit/rtc-node/package.json': '{"name":"@livekit/rtc-node","main":"index.js"}',
  'node_modules/@livekit/rtc-node/index.js': 'exports.Room = class Room {};',
};

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'room-launcher-test-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Bundles and loads `agent.mjs`; what it exports beside the agent is what the test asks about. */
async function load(agent: string, files: Readonly<Record<string, string>>) {
  await put({ 'agent.mjs': agent, ...LIBRARIES, ...files });
  const paths = bundleOf(join(folder, 'agent.mjs'));
  const { code, inputs } = await bundle(paths.agentFile);
  await writeFile(paths.script, code);
  const { parts, script } = runBundle(paths);
  await writeFile(paths.cache, script.createCachedData());
  const { agent: loaded, agents } = await parts.loadAgent(paths.agentFile);
  return { code, inputs, paths, agents, agent: loaded as unknown as Record<string, unknown> };
}

describe('a bundle', { timeout: 30_000 }, () => {
  test('has one copy of agents-js, whoever imports it by which format', async () => {
    const { agent, agents } = await load(
      `import { defineAgent } from '@livekit/agents';
       import plugin from 'plugin';
       export default defineAgent({ entry() {}, plugin });`,
      {
        'node_modules/plugin/package.json': '{"name":"plugin"}',
        'node_modules/plugin/index.js':
          "module.exports = { format: require('@livekit/agents').format };",
      },
    );
    expect(agents).toMatchObject({ format: 'import' });
    expect(agent['plugin']).toEqual({ format: 'import' });
  });

  test('tells each file its own place', async () => {
    const { agent } = await load(
      `import { defineAgent } from '@livekit/agents';
       import old from 'old';
       export default defineAgent({ entry() {}, url: import.meta.url, old });`,
      {
        'node_modules/old/package.json': '{"name":"old"}',
        'node_modules/old/index.js':
          "'use strict';\nmodule.exports = [__dirname, __filename, (function () { return this; })()];",
      },
    );
    const old = join(folder, 'node_modules/old');
    expect(agent['url']).toBe(pathToFileURL(join(folder, 'agent.mjs')).href);
    expect(agent['old']).toEqual([old, join(old, 'index.js'), undefined]);
  });

  test('leaves a package with a native addon outside, at the place it was found', async () => {
    const { code, agent } = await load(
      `import { defineAgent } from '@livekit/agents';
       import addon from 'addon';
       export default defineAgent({ entry() {}, addon });`,
      {
        'node_modules/addon/package.json': '{"name":"addon"}',
        'node_modules/addon/index.js': 'module.exports = "found by a file of its own";',
        'node_modules/addon/build/Release/it.node': 'not looked at',
      },
    );
    expect(agent['addon']).toBe('found by a file of its own');
    expect(code).not.toContain('found by a file of its own');
    const place = join(folder, 'node_modules/addon/index.js');
    expect(createRequire(import.meta.url).cache[place]).toBeDefined();
  });

  test('goes without an optional package that is not there', async () => {
    const { agent } = await load(
      `import { defineAgent } from '@livekit/agents';
       import maybe from './maybe.cjs';
       export default defineAgent({ entry() {}, maybe });`,
      { 'maybe.cjs': "try { require('not-there') } catch ({ code }) { module.exports = code }" },
    );
    expect(agent['maybe']).toBe('MODULE_NOT_FOUND');
  });

  test('tells its place to a module that only its syntax shows to be one, and in TypeScript', async () => {
    const { agent } = await load(
      `import { defineAgent } from '@livekit/agents';
       import { nested } from './nested/of-no-name.js';
       import { typed } from './typed.ts';
       export default defineAgent({ entry() {}, nested, typed });`,
      {
        'package.json': '{"name":"an-agent"}',
        'nested/package.json': '{"type":"commonjs"}',
        'nested/of-no-name.js': 'exports.nested = __dirname;',
        'typed.ts': "export const typed: string = import.meta.resolve('./nested/of-no-name.js');",
      },
    );
    expect(agent['nested']).toBe(join(folder, 'nested'));
    const nested = join(folder, 'nested/of-no-name.js');
    expect(agent['typed']).toBe(pathToFileURL(nested).href);
  });

  test('keeps the names of classes, and letters that are not ASCII', async () => {
    const { agent, code } = await load(
      `import { defineAgent } from '@livekit/agents';
       class Support { static make() { return new Support(); } }
       const dashes = [/[—。]+$/.test('so —'), /^[\\—é]$/u.test('é'), 'é'];
       export default defineAgent({ entry() {}, name: Support.make().constructor.name, dashes });`,
      {},
    );
    expect(agent['name']).toBe('Support');
    expect(agent['dashes']).toEqual([true, true, 'é']);
    expect(/^[\0-\u007f]*$/.test(code)).toBe(true);
  });

  test('of CommonJS has the agent that is all of its exports', async () => {
    await put({ ...LIBRARIES, 'agent.cjs': 'module.exports = { entry() {}, own: __filename };' });
    const paths = bundleOf(join(folder, 'agent.cjs'));
    await writeFile(paths.script, (await bundle(paths.agentFile)).code);
    const { agent } = await runBundle(paths).parts.loadAgent(paths.agentFile);
    expect(agent).toMatchObject({ own: paths.agentFile });
  });

  test('cannot be, of an agent that imports what is computed', async () => {
    const tools = `const all = ['a'];\nawait_(all);\nfunction await_(names) {
      return names.map((name) => import('./' + name + new Date().getTime() + '.js'));
    }\nexport default { entry() {} };`;
    await expect(load(tools.replace("'./' + ", ''), {})).rejects.toThrow(
      /agent\.mjs:\d+ imports a/,
    );
  });

  test('asks the place of a file for what it resolves', async () => {
    const { agent } = await load(
      `import { defineAgent } from '@livekit/agents';
       import old from 'old';
       export default defineAgent({ entry() {}, old });`,
      {
        'node_modules/old/package.json': '{"name":"old"}',
        'node_modules/old/worker.js': '',
        'node_modules/old/index.js': "module.exports = require.resolve('./worker.js');",
      },
    );
    expect(agent['old']).toBe(join(folder, 'node_modules/old/worker.js'));
  });

  test('cannot be, of an agent that waits at its top level', async () => {
    const waits = `await Promise.resolve();\nexport default { entry() {} };`;
    await expect(load(waits, {})).rejects.toThrow('Top-level await');
  });

  test('says what the agent file lacks', async () => {
    await expect(load('export default 1;', {})).rejects.toThrow('has no agent as its default');
  });

  test('is not used once a file of it has changed', async () => {
    const agent = `import './own.mjs';\nimport 'old';\nexport default { entry() {} };`;
    const loaded = await load(agent, {
      'own.mjs': '1',
      'node_modules/old/package.json': '{"name":"old"}',
      'node_modules/old/index.js': '',
    });
    expect(loaded.inputs).toContain(join(folder, 'node_modules/old/package.json'));
    const { paths } = loaded;
    const inputs = loaded.inputs.map(inputOf);
    expect(inputs).not.toContain(null);
    const own = join(folder, 'own.mjs');
    expect(loaded.inputs).toContain(own);
    await writeFile(paths.manifest, JSON.stringify({ inputs }));
    const lines: string[] = [];
    const log = createLog(
      (line) => lines.push(line),
      () => 0,
    );
    expect(findBundle(paths.agentFile, log)).toEqual(paths);
    await utimes(own, 1, 1);
    expect(findBundle(paths.agentFile, log)).toBeNull();
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ changed: own }]);
    await writeFile(paths.manifest, '{"leftOut":"it could not be"}');
    expect(findBundle(paths.agentFile, log)).toBeNull();
    expect(lines).toHaveLength(1);
  });

  test('says when its compiled code is not taken', async () => {
    const { code, paths } = await load('export default { entry() {} };', {});
    expect(runBundle(paths).rejected).toBe(false);
    await writeFile(paths.script, `${code}\n`);
    expect(runBundle(paths).rejected).toBe(true);
    await rm(paths.cache);
    expect(runBundle(paths).rejected).toBe(false);
  });
});

/** The module as a bundle would run it, with a count of how often the file was loaded. */
function standIn(name: string, file: unknown) {
  let loads = 0;
  const text = lazyModule('/x.js', name).replace(/export \{ stand as \w+ \};/, 'return stand;');
  const require = () => {
    loads += 1;
    return file;
  };
  // oxlint-disable-next-line typescript/no-implied-eval -- it is code that is tested
  const stand = new Function('require', text)(require);
  return { stand, loads: () => loads };
}

describe('a lazy import', () => {
  test('loads when it is used, by call, by construction, by name', () => {
    const real = Object.assign((text: string) => `called ${text}`, { of: 'the file' });
    const { stand, loads } = standIn('default', { default: real });
    expect(loads()).toBe(0);
    expect(stand('so')).toBe('called so');
    expect(stand.of).toBe('the file');
    class Made {
      readonly #secret = 7;
      tell() {
        return this.#secret;
      }
    }
    expect(new (standIn('default', Made).stand)().tell()).toBe(7);
    expect(standIn('made', { made: new Made() }).stand.tell()).toBe(7);
  });

  test('is what agents-js imports so, in the release we have', () => {
    const require = createRequire(import.meta.url);
    const dist = dirname(require.resolve('@livekit/agents'));
    expect(lazyName(join(dist, 'llm/utils.js'), 'sharp')).toBe('default');
    expect(lazyName(join(dist, 'tokenize/basic/basic.js'), './hyphenator.js')).toBe('hyphenator');
    expect(lazyName('/an/agent.js', './hyphenator.js')).toBeNull();
  });
});

test('a file that does not ask for its place is taken as it is', () => {
  expect(withPlace('/a.js', 'export default 1;', true)).toBeNull();
  expect(withPlace('/a.js', 'typeof __dirname', true)).toBeNull();
  expect(withPlace('/a.js', '#!/usr/bin/node\nimport.meta.url', true)).toMatch(/^var .*;\n/);
});
