#!/usr/bin/env node
/**
 * `make.js <agent file>`: puts the bundle of an agent beside its file, while an image is built. An
 * agent that cannot be bundled, or not be loaded now, is left as it is, and the manifest says why:
 * it works all the same, and starts about a second later.
 *
 * Reads AGENT_ENV_FILE, JSON of the variables that the agent's top level needs, if there is one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { BuildFailure } from 'esbuild';
import { findAgentFile } from '../agent-file.ts';
import { type Bundle, bundleOf, inputOf, type Manifest } from '../bundled.ts';
import { bundle } from './bundler.ts';

const EXERCISE = fileURLToPath(new URL('exercise.js', import.meta.url));
const LIMIT_MS = 60_000;
/** Who runs a task in the image: the agent's code is never run as root. */
const USER = { uid: 10_001, gid: 10_001 } as const;

async function make(files: Bundle): Promise<Manifest> {
  const { code, inputs } = await bundle(files.agentFile);
  writeFileSync(files.script, code);
  writeFileSync(files.cache, await compiledCode(files.agentFile));
  return { inputs: inputs.flatMap((path) => inputOf(path) ?? []) };
}

/** Executes a start in a process of its own, with the environment of a task and this one's flags. */
async function compiledCode(agentFile: string): Promise<Buffer> {
  const child = spawn(process.execPath, [...process.execArgv, EXERCISE, agentFile], {
    env: { ...process.env, ...agentEnv() },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    ...(process.getuid?.() === 0 && USER),
  });
  const [, out, err, code] = child.stdio as unknown as readonly [
    null,
    Readable,
    Readable,
    Readable,
  ];
  const [said, made, [exit, signal]] = await Promise.all([
    Promise.all([buffer(out), buffer(err)]),
    buffer(code),
    once(child, 'exit'),
  ]);
  if (exit === 0 && made.length > 0) return made;
  // What the agent's code says may hold secrets: for who builds to read, not for the image.
  process.stderr.write(Buffer.concat(said));
  throw new Error(
    signal ? `it did not start within ${LIMIT_MS / 1000} s` : `its start ended with code ${exit}`,
  );
}

function agentEnv(): Record<string, string> {
  const file = process.env['AGENT_ENV_FILE'];
  if (!file || !existsSync(file)) return {};
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
}

/** Of esbuild's errors the first. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [first] = 'errors' in error ? (error as BuildFailure).errors : [];
  if (!first) return error.message;
  const { location, text } = first;
  return location ? `/${location.file}:${location.line}: ${text}` : text;
}

const files = bundleOf(findAgentFile(process.argv[2] ?? ''));
let manifest: Manifest;
try {
  manifest = await make(files);
} catch (error) {
  for (const file of [files.script, files.cache]) rmSync(file, { force: true });
  manifest = { leftOut: reasonOf(error) };
  process.stderr.write(`not bundled: ${manifest.leftOut}\n`);
}
writeFileSync(files.manifest, JSON.stringify(manifest));
