/**
 * TypeScript made runnable: the agent file and what it imports of its own package become one file
 * beside it. Packages stay imports, so that the agent, its plugins and the runner share one copy of
 * agents-js, and native addons are found where they were installed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, formatMessages, type Message } from 'esbuild';
import type { AgentPackage } from './agent-package.ts';
import { BuildProblem, EXIT } from './problem.ts';

/** What the images' Node runs at least. */
const TARGET = 'node20';

export interface Entry {
  /** Relative to the package's folder, with forward slashes. */
  readonly path: string;
  readonly code: string;
}

type Source = Pick<AgentPackage, 'folder' | 'entry' | 'manifest'>;

/** The module format in which a TypeScript file runs: Node's own rule for its name. */
export function formatOf({ entry, manifest }: Pick<Source, 'entry' | 'manifest'>): 'esm' | 'cjs' {
  if (entry.endsWith('.mts')) return 'esm';
  if (entry.endsWith('.cts')) return 'cjs';
  return manifest.type === 'commonjs' ? 'cjs' : 'esm';
}

/** The file that the runner is to load. JavaScript is taken as it is. Throws `BuildProblem`. */
export async function compile(source: Source): Promise<Entry> {
  const { folder, entry } = source;
  if (!/\.[cm]?ts$/.test(entry)) {
    return { path: entry, code: readFileSync(join(folder, entry), 'utf8') };
  }
  const format = formatOf(source);
  return {
    path: entry.replace(/\.[cm]?ts$/, format === 'esm' ? '.mjs' : '.cjs'),
    code: await bundle(folder, entry, format),
  };
}

async function bundle(folder: string, entry: string, format: 'esm' | 'cjs'): Promise<string> {
  try {
    const { outputFiles } = await build({
      absWorkingDir: folder,
      entryPoints: [entry],
      bundle: true,
      packages: 'external',
      platform: 'node',
      target: TARGET,
      format,
      write: false,
      logLevel: 'silent',
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    if (!(error instanceof Error && 'errors' in error && Array.isArray(error.errors))) throw error;
    const messages: Message[] = error.errors;
    const output = await formatMessages(messages, { kind: 'error' });
    throw new BuildProblem(EXIT.failed, `compiling ${entry} failed`, output.join(''));
  }
}
