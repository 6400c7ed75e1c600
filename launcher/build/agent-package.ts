/**
 * The package that an agent file belongs to, and whether an image can be made of it: everything
 * that its package.json and its lock file tell, before anything is built.
 */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { reasonOf } from '../lib/log.ts';
import { usage } from './problem.ts';

const EXTENSIONS = /\.[cm]?[jt]s$/;
const DECLARATIONS = /\.d\.[cm]?ts$/;
export const AGENTS = '@livekit/agents';
const LOCK = 'package-lock.json';
const OTHER_LOCKS = ['pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];
/** Ranges that point out of the package, where the image has nothing. */
const LOCAL = /^(?:file|link|portal|workspace|catalog):/;

const Ranges = z.record(z.string(), z.string()).default({});
const Manifest = z.looseObject({
  type: z.enum(['module', 'commonjs']).optional(),
  dependencies: Ranges,
  devDependencies: Ranges,
  workspaces: z.unknown().optional(),
});
const Lock = z.object({
  packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })).default({}),
});

export type Manifest = z.infer<typeof Manifest>;

export interface AgentPackage {
  readonly folder: string;
  /** The agent file, relative to `folder`, with forward slashes. */
  readonly entry: string;
  readonly manifest: Manifest;
  /** The text of npm's lock file; null without one. */
  readonly lock: string | null;
  /** What the user should know, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the package of `agentFile`, an absolute path: the nearest package.json upwards. `tested` is
 * the release of agents-js that the runner works with, such as 1.9.0. Throws `BuildProblem`.
 */
export function readPackage(agentFile: string, tested: string): AgentPackage {
  const file = findFile(agentFile);
  const folder = findFolder(dirname(file));
  const manifest = parse(join(folder, 'package.json'), Manifest);
  const hasLock = existsSync(join(folder, LOCK));
  const versions = hasLock ? parse(join(folder, LOCK), Lock).packages : {};
  const locked = versions[`node_modules/${AGENTS}`]?.version ?? null;
  const problem = manifestProblem(manifest, locked, tested);
  if (problem !== null) throw usage(`${join(folder, 'package.json')}: ${problem}`);
  const others = OTHER_LOCKS.filter((name) => existsSync(join(folder, name)));
  return {
    folder,
    entry: relative(folder, file).split(sep).join('/'),
    manifest,
    lock: hasLock ? readFileSync(join(folder, LOCK), 'utf8') : null,
    warnings: hasLock ? [] : [noLock(others[0])],
  };
}

/** Why no image can be made of a package, or null. `locked`: its agents-js by the lock file. */
export function manifestProblem(
  { dependencies, devDependencies, workspaces }: Manifest,
  locked: string | null,
  tested: string,
): string | null {
  const range = dependencies[AGENTS];
  if (range === undefined) {
    const where = AGENTS in devDependencies ? 'is among the devDependencies' : 'is missing';
    return `${AGENTS} ${where}: npm install --save-prod ${AGENTS}@${tested}`;
  }
  const local = Object.entries(dependencies).find(([, to]) => LOCAL.test(to));
  if (local) {
    const [name, to] = local;
    return `the dependency ${name} is "${to}", which is not in the image: use a published version`;
  }
  if (workspaces !== undefined) {
    return 'it has workspaces, which are not supported: give the agent a package of its own';
  }
  if (locked === null || minorOf(locked) === minorOf(tested)) return null;
  return (
    `${LOCK} has ${AGENTS} ${locked} (asked for: ${range}), and the runner works with ` +
    `${minorOf(tested)}: npm install ${AGENTS}@~${tested}`
  );
}

function minorOf(version: string): string {
  return version.split('.', 2).join('.');
}

function noLock(other: string | undefined): string {
  return other === undefined
    ? `no ${LOCK}: npm chooses versions by package.json alone, anew for each change of it`
    : `${other} is not read: npm chooses versions by package.json alone (${LOCK} would fix them)`;
}

function findFile(path: string): string {
  if (!EXTENSIONS.test(path) || DECLARATIONS.test(path)) {
    throw usage(`the agent file is "${path}": give a .js, .mjs, .cjs, .ts, .mts or .cts file`);
  }
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw usage(`the agent file "${path}" is no file that can be read: check its path`);
  }
  return realpathSync(path);
}

function findFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) break;
  }
  throw usage(
    `no package.json in ${start} or above: npm init, then npm install ${AGENTS} and what the ` +
      'agent imports',
  );
}

function parse<T>(path: string, schema: z.ZodType<T>): T {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw usage(`${path} cannot be read: ${reasonOf(error)}`);
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw usage(`${path}: ${issue?.path.join('.')}: ${issue?.message}`);
}
