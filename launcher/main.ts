#!/usr/bin/env node
/**
 * The composition root: the only reader of the process's environment, signals and exit.
 */
import process from 'node:process';
import { runCli } from './cli.ts';

// LiveKit's client logs its debug lines to standard output in any other mode.
process.env['NODE_ENV'] ??= 'production';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(signal));
}

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
});
process.exit();
