/**
 * The runner and its agent as one script, which the image's build has put beside the agent file
 * (`bundle/`), with V8's compiled code of what a start executes. Loading some 1,700 files one by one
 * and compiling them takes most of a start.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, Script } from 'node:vm';
import type { loadAgent } from './load-agent.ts';
import type { RunnerLog } from './log.ts';
import type { Runner } from './runner.ts';

/** What starts an agent, bundled or not. */
export interface Parts {
  readonly Runner: typeof Runner;
  readonly loadAgent: typeof loadAgent;
}

/** A file whose change makes a bundle stale. */
export interface Input {
  readonly path: string;
  readonly bytes: number;
  /** Whole seconds: layers of an image keep no more. */
  readonly modifiedSeconds: number;
}

/** `bundle.json`: a bundle, or why there is none. */
export type Manifest = { readonly inputs: readonly Input[] } | { readonly leftOut: string };

export interface Bundle {
  readonly agentFile: string;
  readonly script: string;
  readonly cache: string;
  readonly manifest: string;
}

/** Where the bundle of an agent file is, if there is one: beside it, for what resolves from there. */
export function bundleOf(agentFile: string): Bundle {
  const at = (end: string) => `${agentFile}.bundle.${end}`;
  return { agentFile, script: at('cjs'), cache: at('cache'), manifest: at('json') };
}

export function readManifest({ manifest }: Bundle): Manifest | null {
  if (!existsSync(manifest)) return null;
  const read: Manifest = JSON.parse(readFileSync(manifest, 'utf8'));
  return read;
}

/** A file as it is now; null when it is gone. */
export function inputOf(path: string): Input | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  return { path, bytes: found.size, modifiedSeconds: Math.floor(found.mtimeMs / 1000) };
}

/** The bundle of an agent file, by its real path. Null without one, or with one that is stale. */
export function findBundle(agentFile: string, log: RunnerLog): Bundle | null {
  const bundle = bundleOf(agentFile);
  const manifest = readManifest(bundle);
  if (!manifest || 'leftOut' in manifest) return null;
  const changed = manifest.inputs.find((was) => {
    const is = inputOf(was.path);
    return is?.bytes !== was.bytes || is.modifiedSeconds !== was.modifiedSeconds;
  });
  if (!changed) return bundle;
  log.warn('bundle is stale, starting without it: build the image anew', { changed: changed.path });
  return null;
}

/** V8's code for this very script, by this very Node with these flags. */
export interface Compiled {
  readonly parts: Parts;
  readonly script: Script;
  /** V8 did not take the cached code: it was made by another Node, or with other flags. */
  readonly rejected: boolean;
}

/** Compiles and runs a bundle; the agent file runs later, in `loadAgent`. */
export function runBundle(bundle: Bundle): Compiled {
  const cachedData = existsSync(bundle.cache) ? readFileSync(bundle.cache) : undefined;
  // Nothing but ASCII is in it, and Node keeps text of that size outside V8's heap if so read.
  const script = new Script(readFileSync(bundle.script, 'latin1'), {
    filename: bundle.script,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData && { cachedData }),
  });
  const module: { exports: unknown } = { exports: {} };
  const run: BundleFunction = script.runInThisContext();
  run(module.exports, createRequire(bundle.agentFile), module);
  const parts = module.exports as Parts;
  return {
    parts,
    script,
    rejected: cachedData !== undefined && script.cachedDataRejected === true,
  };
}

type BundleFunction = (exports: unknown, require: NodeJS.Require, module: object) => void;
