/** Holds the layout: who may import what, how long files get, how they open, what they never name. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LINES_MAX = 250;
const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'coverage', '.cache']);

/** What is shared vocabulary of core, not its decisions. */
const CORE_WORDS = /^launcher\/core\/(room|key|desired)\.ts$/;
const DRIVER = /^launcher\/driver\.ts$/;
const LIB = /^launcher\/lib\//;
const CORE = /^launcher\/core\//;
const PORTS = /\/ports\.ts$/;

interface Rule {
  /** The files that the rule is for; the first rule that matches counts. */
  readonly of: RegExp;
  /** What they may import of ours, beside files of their own folder. */
  readonly may: readonly RegExp[];
  /** What they may import as types alone. */
  readonly types?: readonly RegExp[];
  /** False: neither packages nor Node's own modules, types apart. */
  readonly packages?: false;
  /** False: not even files of their own folder. */
  readonly own?: false;
}

const RULES: readonly Rule[] = [
  { of: /^launcher\/(main|cli|serve|dry-run|wiring|admin-host|doctor)\.ts$/, may: [/^launcher\//] },
  { of: DRIVER, may: [], packages: false, own: false },
  { of: /^launcher\/config(\.ts|\/)/, may: [/^launcher\/config(\.ts|\/)/, LIB], types: [CORE] },
  { of: LIB, may: [] },
  { of: CORE, may: [/^launcher\/lib\/assert\.ts$/, DRIVER], packages: false },
  { of: /^launcher\/reconcile\//, may: [CORE, DRIVER, PORTS, LIB] },
  { of: /^launcher\/livekit\//, may: [CORE_WORDS, LIB], types: [CORE] },
  { of: /^launcher\/webhook\//, may: [LIB] },
  {
    of: /^launcher\/gateway\//,
    may: [CORE_WORDS, DRIVER, /^launcher\/livekit\/token\.ts$/, LIB],
    types: [CORE],
  },
  { of: /^launcher\/admin\/dashboard\/browser\//, may: [], packages: false },
  {
    of: /^launcher\/admin\/dashboard\//,
    may: [CORE_WORDS, DRIVER, /^launcher\/admin\/(ports|stream-end)\.ts$/, LIB],
    types: [CORE],
  },
  { of: /^launcher\/admin\//, may: [CORE_WORDS, DRIVER, LIB], types: [CORE] },
  { of: /^launcher\/drivers\/[^/]+\.ts$/, may: [DRIVER, LIB, /^launcher\/drivers\//] },
  { of: /^launcher\/drivers\/[^/]+\//, may: [DRIVER, LIB] },
  {
    of: /^launcher\/telemetry\//,
    may: [LIB, /^launcher\/core\/key\.ts$/],
    types: [CORE, DRIVER, /^launcher\/admin\/ports\.ts$/],
  },
  {
    of: /^launcher\/dev\//,
    // Where the engine is, how its errors read, how what is ours there is marked.
    may: [LIB, /^launcher\/drivers\/docker\/(connection|errors|labels)\.ts$/],
    types: [DRIVER],
  },
  {
    // They ask a running launcher; of its parts they know what its admin API answers.
    of: /^launcher\/cli\//,
    may: [LIB, /^launcher\/dev\/progress\.ts$/, /^launcher\/config(\.ts|\/)/],
    types: [/^launcher\/(admin\/ports|reconcile\/preview)\.ts$/],
  },
  {
    of: /^launcher\/doctor\//,
    // Asks as the launcher asks, and listens as it listens; decides and launches nothing.
    may: [
      CORE_WORDS,
      DRIVER,
      LIB,
      /^launcher\/config\.ts$/,
      /^launcher\/cli\/(table|sse)\.ts$/,
      /^launcher\/livekit\/(rooms|errors)\.ts$/,
      /^launcher\/gateway\/(credentials|wire)\.ts$/,
      /^launcher\/webhook\/listener\.ts$/,
      /^launcher\/drivers\/docker\/(calls|connection|errors|network|spec)\.ts$/,
      /^launcher\/drivers\/ecs\/examine\.ts$/,
    ],
    types: [/^launcher\/webhook\/verify\.ts$/],
  },
  {
    of: /^launcher\/build\//,
    // What the images of the repository are built with, too.
    may: [LIB, /^launcher\/dev\/progress\.ts$/, /^scripts\/(docker-client|image-build)\.mjs$/],
  },
  // What it needs to know of the launcher, the launcher's settings and documents say.
  { of: /^iac\//, may: [] },
  { of: /^agent-image\//, may: [/^launcher\/gateway\/wire\.ts$/, /^agent-image\//] },
];

/** Who may read the environment, take signals and end the process. */
const PROCESSES =
  /^(launcher\/main\.ts|iac\/app\.ts|agent-image\/.*|launcher\/drivers\/process\/supervisor\.ts)$/;

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

const files = walk(ROOT);
const sources = files.filter((path) => /^(launcher|agent-image|iac)\/.*\.(tsx?|m?js)$/.test(path));

describe('structure', () => {
  it('finds the sources', () => {
    expect(sources).toContain('launcher/driver.ts');
    expect(sources.length).toBeGreaterThan(10);
  });

  it('has an import rule for every source, and no source breaks its own', () => {
    expect(sources.flatMap((path) => breaches(path, read(path)))).toEqual([]);
  });

  it('keeps to launcher/main.ts what is the whole process', () => {
    const whole = /(?<!')\bprocess\s*\.\s*(env|exit|exitCode|on|once|argv)\b/;
    const others = sources.filter((path) => !PROCESSES.test(path));
    expect(others.filter((path) => whole.test(withoutComments(read(path))))).toEqual([]);
  });

  it('loads OpenTelemetry in one file alone, which is loaded when traces are on', () => {
    const loading = (path: string, what: string) =>
      importsOf(read(path)).some(({ from, typeOnly }) => !typeOnly && from.includes(what));
    const sdk = 'launcher/telemetry/traces-sdk.ts';
    expect(sources.filter((path) => loading(path, '@opentelemetry/'))).toEqual([sdk]);
    const above = sources.filter((path) => loading(path, 'traces-sdk'));
    expect(above).toEqual(['launcher/telemetry/traces.ts']);
    expect(read('launcher/telemetry/traces.ts')).not.toMatch(/^import .*traces-sdk/m);
  });

  it(`has no source file of more than ${LINES_MAX} lines`, () => {
    expect(sources.filter((path) => read(path).trimEnd().split('\n').length > LINES_MAX)).toEqual(
      [],
    );
  });

  it('opens every module with a comment', () => {
    expect(sources.filter((path) => !opensWithComment(read(path)))).toEqual([]);
  });

  it('names no machine and no place that packages were downloaded from', () => {
    const names = [
      /(?<![\w.~-])\/(root|work|Users|home)\//,
      /https?:\/\/[^\s"'/]*(registry|artifactory|nexus|verdaccio|goproxy)/i,
      /"resolved":/,
    ];
    const self = relative(ROOT, fileURLToPath(import.meta.url));
    const naming = files.filter(
      (path) => path !== self && names.some((name) => name.test(read(path))),
    );
    expect(naming).toEqual([]);
  });
});

describe('structure, its own checks', () => {
  it.each([
    ['launcher/core/plan.ts', `import { readFile } from 'node:fs/promises';`],
    ['launcher/core/plan.ts', `import { z } from 'zod';`],
    ['launcher/core/plan.ts', `import { systemClock } from '../lib/clock.ts';`],
    ['launcher/driver.ts', `import type { Clock } from './lib/clock.ts';`],
    ['launcher/lib/clock.ts', `import { roomKey } from '../core/key.ts';`],
    ['launcher/gateway/sockets.ts', `import { plan } from '../core/plan.ts';`],
    ['launcher/drivers/docker/calls.ts', `import { x } from '../ecs/calls.ts';`],
    ['launcher/dev/demo.ts', `const x = await import('../main.ts');`],
    ['launcher/admin/listener.ts', `export * from '../gateway/wire.ts';`],
    ['agent-image/main.ts', `import {\n  a,\n  b,\n} from '../launcher/lib/log.ts';`],
    ['iac/checks.ts', `import { fargateAdvice } from '../launcher/config/ecs.ts';`],
    ['launcher/core/plan.ts', `import { x } from '../../iac/props.ts';`],
    ['launcher/stray.ts', ``],
  ])('%s may not: %s', (path, text) => expect(breaches(path, text)).not.toEqual([]));

  it.each([
    ['launcher/core/plan.ts', `import type { Phase } from '../driver.ts';`],
    ['launcher/gateway/sockets.ts', `import type { Plan } from '../core/plan.ts';`],
    ['launcher/gateway/sockets.ts', `import { roomKey } from '../core/key.ts';`],
    ['launcher/drivers/index.ts', `const x = await import('./process/index.ts');`],
    ['agent-image/main.ts', `import { agentUrl } from '../launcher/gateway/wire.ts';`],
  ])('%s may: %s', (path, text) => expect(breaches(path, text)).toEqual([]));
});

function breaches(path: string, text: string): string[] {
  const rule = RULES.find(({ of }) => of.test(path));
  if (!rule) return [`${path}: no import rule; give its folder one`];
  const folder = `${dirname(path)}/`;
  return importsOf(text)
    .filter(({ from, typeOnly }) => {
      if (!from.startsWith('.')) return rule.packages === false && !typeOnly;
      const target = join(dirname(path), from);
      if (rule.own !== false && target.startsWith(folder)) return false;
      const may = [...rule.may, ...(typeOnly ? (rule.types ?? []) : [])];
      return !may.some((allowed) => allowed.test(target));
    })
    .map(({ from }) => `${path}: ${from}`);
}

/** Static, re-exporting and dynamic imports, as the formatter writes them. */
function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const fixed = [...code.matchAll(/^(?:import|export)\b([^;'"]*?)\bfrom\s*['"]([^'"]+)['"]/gm)];
  const bare = [...code.matchAll(/^import\s*['"]([^'"]+)['"]/gm)];
  const dynamic = [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)];
  return [
    ...fixed.map(([, names = '', from = '']) => ({ from, typeOnly: isTypeOnly(names) })),
    ...[...bare, ...dynamic].map(([, from = '']) => ({ from, typeOnly: false })),
  ];
}

/** `type { A }`, or braces in which every name is a type. */
function isTypeOnly(names: string): boolean {
  if (/^\s*type\b/.test(names)) return true;
  const inBraces = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1];
  const each = inBraces?.split(',').map((name) => name.trim());
  return each?.filter((name) => name !== '').every((name) => name.startsWith('type ')) ?? false;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** A comment before the first statement that is no import. */
function opensWithComment(text: string): boolean {
  const start = text.replace(/^#!.*\n/, '').replace(/^(?:import\b[^;]*;\s*)+/, '');
  return /^\s*(\/\*\*|\/\/)/.test(start);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name) || /\.(log|tgz)$/.test(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [relative(ROOT, path)];
  });
}
