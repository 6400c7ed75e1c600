/** One script of the runner, an agent file and all that both import, by esbuild. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Message, type OnResolveResult, type Plugin, type PluginBuild } from 'esbuild';
import { resolveAgents } from '../load-agent.ts';
import { lazyModule, lazyName } from './lazy.ts';
import { Packages } from './packages.ts';
import { PLACES, withPlace } from './places.ts';

/** What images' Node runs at least. */
const TARGET = 'node20';
const AGENT = 'room-launcher:agent';
const LAZY = 'room-launcher:lazy';
const SELF = fileURLToPath(import.meta.url);
const RUNNER = fileURLToPath(new URL('..', import.meta.url));
/** An import that is being looked up by us, and not to be looked up again. */
const OURS = { ours: true } as const;

export interface Bundled {
  /** ASCII alone. */
  readonly code: string;
  /**
   * Absolute paths of what makes a bundle stale when it changes: the files outside node_modules, and
   * the package.json of each package that is in it.
   */
  readonly inputs: readonly string[];
}

/**
 * Bundles an agent file, by its absolute path. Rejects, with a reason, for what cannot be in a script
 * (`await` at a module's top level) or would not find the one copy of agents-js (an import of a path
 * that is computed).
 */
export async function bundle(agentFile: string): Promise<Bundled> {
  const agents = resolveAgents(agentFile);
  const packages = new Packages();
  const { outputFiles, metafile, warnings } = await build({
    stdin: {
      contents: entry(agents),
      resolveDir: dirname(agentFile),
      sourcefile: 'room-launcher:entry',
    },
    absWorkingDir: '/',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: TARGET,
    // Node knows none of the other fields and conditions, nor this file of TypeScript's.
    mainFields: ['main'],
    conditions: [],
    tsconfigRaw: '{}',
    define: PLACES,
    plugins: [asNodeFinds(agentFile, agents, packages)],
    // A function, as Node wraps its own modules: the very text that V8 compiles and caches.
    banner: { js: '(function (exports, require, module) {' },
    footer: { js: '})' },
    // Of classes: agents-js makes an agent's id of its name.
    keepNames: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'silent',
    logOverride: { 'unsupported-dynamic-import': 'warning' },
  });
  const files = Object.keys(metafile.inputs)
    .filter((path) => !path.includes(':'))
    .map((path) => `/${path}`);
  const computed = warnings.flatMap(computedImport)[0];
  if (computed) throw new Error(`${computed} imports a path that is computed`);
  const manifests = files
    .filter((file) => !isOwn(file))
    .map((file) => join(packages.of(file)?.folder ?? dirname(file), 'package.json'));
  return {
    code: inAscii(outputFiles[0]?.text ?? ''),
    inputs: [...new Set([...files.filter(isOwn), ...manifests])],
  };
}

/** Where the agent imports what cannot be told before; the runner's own imports of the kind are meant. */
function computedImport({ id, location }: Message): string[] {
  const file = `/${location?.file ?? ''}`;
  if (id !== 'unsupported-dynamic-import' || !isOwn(file) || file.startsWith(RUNNER)) return [];
  return [`${file}:${location?.line}`];
}

function isOwn(file: string): boolean {
  return !file.includes('/node_modules/');
}

/** esbuild writes ASCII, but leaves regular expressions as they are: there, too, `\\u2014` is `—`. */
export function inAscii(code: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII, all of it
  return code.replace(/(\\*)([^\x00-\x7f])/g, (_, slashes: string, letter: string) => {
    // An escaped letter is the letter.
    const before = slashes.slice(slashes.length % 2);
    return `${before}\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Exports what `bundled.ts` calls `Parts`. */
function entry(agents: string): string {
  const otel = createRequire(agents).resolve('@opentelemetry/api');
  return `
import { agentOf } from ${ours('load-agent')};
export { Runner } from ${ours('runner')};
export async function loadAgent(path) {
  const libraries = {
    agents: require('@livekit/agents'),
    rtc: require('@livekit/rtc-node'),
    otel: () => require(${JSON.stringify(otel)}),
  };
  return agentOf(path, { default: require('${AGENT}') }, libraries);
}
`;
}

function ours(name: string): string {
  const file = new URL(`../${name}${extname(import.meta.url)}`, import.meta.url);
  return JSON.stringify(fileURLToPath(file));
}

/** Resolves as Node would, except for what has to be one copy, outside, or later. */
function asNodeFinds(agentFile: string, agents: string, packages: Packages): Plugin {
  /** One copy of these, whatever the module format of who imports them: as it is found from here. */
  const shared: Readonly<Record<string, readonly string[]>> = {
    '@livekit/agents': [agentFile, SELF],
    '@livekit/rtc-node': [agents, SELF],
  };
  return {
    name: 'as-node-finds',
    setup(esbuild) {
      esbuild.onResolve({ filter: new RegExp(`^${AGENT}$`) }, () => ({ path: agentFile }));
      esbuild.onResolve({ filter: /^[^:]+$/ }, async (asked) => {
        if (asked.pluginData === OURS || asked.kind === 'entry-point') return;
        const { importer, namespace, resolveDir, kind } = asked;
        const lookUp = { importer, namespace, resolveDir, kind, pluginData: OURS };
        const places = shared[asked.path];
        const found =
          places === undefined
            ? await esbuild.resolve(asked.path, lookUp)
            : await sharedCopy(esbuild, asked.path, places);
        // What is not there may be optional, in a `try`: esbuild knows.
        if (found.errors.length > 0 || found.external || !found.path.startsWith('/')) return;
        const isImport = kind === 'import-statement' || kind === 'dynamic-import';
        const name = isImport ? lazyName(importer, asked.path) : null;
        if (name !== null) return { path: found.path, namespace: LAZY, pluginData: name };
        const owner = packages.of(found.path);
        const outside = owner !== null && packages.staysOutside(owner);
        if (outside && isImport && packages.isModule(found.path)) {
          return { errors: [{ text: `"${asked.path}" has an addon and is an ES module` }] };
        }
        // Where a file is, is asked of its own place.
        if (outside || kind === 'require-resolve')
          return external(importer, asked.path, found.path);
        return found;
      });
      esbuild.onLoad({ filter: /.*/, namespace: LAZY }, ({ path, pluginData }) => ({
        contents: lazyModule(path, String(pluginData)),
        resolveDir: dirname(path),
      }));
      esbuild.onLoad({ filter: /\.[cm]?[jt]s$/, namespace: 'file' }, async ({ path }) => {
        const contents = withPlace(path, await readFile(path, 'utf8'), packages.isModule(path));
        return contents === null
          ? undefined
          : { contents, loader: path.endsWith('ts') ? 'ts' : 'js' };
      });
    },
  };
}

/** The module that an `import` in the agent's own place would get. */
async function sharedCopy(esbuild: PluginBuild, name: string, from: readonly string[]) {
  for (const importer of from) {
    const found = await esbuild.resolve(name, {
      kind: 'import-statement',
      importer,
      resolveDir: dirname(importer),
      pluginData: OURS,
    });
    if (found.errors.length === 0) return found;
  }
  throw new Error(`${name} is not installed`);
}

/** By its place, as `require` finds it there: from the bundle's own it might be another copy. */
function external(importer: string, path: string, found: string): OnResolveResult {
  try {
    return { path: createRequire(importer).resolve(path), external: true };
  } catch {
    return { path: found, external: true };
  }
}
