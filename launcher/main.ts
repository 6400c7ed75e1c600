#!/usr/bin/env node
/**
 * The composition root: the only reader of the process's environment, signals and exit.
 */
import process from 'node:process';
import { runCli } from './cli.ts';

// LiveKit's client logs its debug lines to standard output in any other mode.
process.env['NODE_ENV'] ??= 'production';
// It would tell each user of Node 20, at each start, what the package's engines say already.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(signal));
}

// Whoever read the output has gone (`| head`): there is nobody to go on for.
process.stdout.on('error', () => interrupted.abort('EPIPE'));

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
});
process.exit();
