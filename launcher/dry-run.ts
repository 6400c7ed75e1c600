/**
 * `room-launcher serve --dry-run`: what a launcher with these settings would do first, with reasons,
 * and nothing of it done. No listener is opened, nothing is launched, stopped, removed or pulled, no
 * network is made: LiveKit and the engine are asked for their lists.
 */
import { CommandError, type CommandIo, ending, printJson, waiting } from './cli/io.ts';
import { planText } from './cli/plan-text.ts';
import { lookOf, oneLine } from './cli/table.ts';
import type { Config } from './config.ts';
import { DriverError } from './driver.ts';
import { openDriver } from './drivers/index.ts';
import { unlessAborted } from './lib/abort.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './lib/exit-codes.ts';
import { type Log, reasonOf, SILENT } from './lib/log.ts';
import { createLiveKit } from './livekit/rooms.ts';
import { type FirstPlan, firstPlan, PreviewError } from './reconcile/preview.ts';
import { credentialsRefused, LIVEKIT_TIMEOUT_MS, readConfig, refuse } from './serve.ts';
import { driverChoice } from './wiring.ts';

export interface DryRunOptions {
  readonly json?: true;
  /** Nothing is cut to the terminal's width. */
  readonly wide?: true;
}

/** Resolves with the exit code: 0, 64 for settings that `serve` would refuse, 1 without an answer. */
export function dryRun(options: DryRunOptions, io: CommandIo): Promise<number> {
  return ending(io, async () => {
    const parsed = readConfig(io);
    if ('errors' in parsed) return refuse(io, parsed.errors);
    const plan = await waiting(io, 'asking LiveKit and the engine', () =>
      unlessAborted(io.signal, () => planOf(parsed.config, io)),
    );
    if (options.json) printJson(io, plan);
    else io.stdout.write(planText(plan, lookOf(io.stdout, io.env, options.wide)));
    return EXIT_OK;
  });
}

/** Rejects with `CommandError` where `serve` would not start, and where one does not answer. */
async function planOf(config: Config, io: CommandIo): Promise<FirstPlan> {
  const { profiles } = config;
  const livekit = createLiveKit({ ...config.livekit, requestTimeoutMs: LIVEKIT_TIMEOUT_MS });
  const refusal = await credentialsRefused(livekit, io.signal);
  if (refusal !== null) throw new CommandError(refusal, EXIT_USAGE);
  const log = warningsTo(io);
  try {
    const driver = await openDriver(driverChoice({ config, env: io.env, log }));
    try {
      const known = { livekit, driver, profiles, clock: io.clock, log, random: Math.random };
      return await firstPlan(known);
    } finally {
      await driver[Symbol.asyncDispose]();
    }
  } catch (error) {
    throw sayable(error);
  }
}

/** What can go wrong by no fault of ours, for the user. */
function sayable(error: unknown): unknown {
  if (error instanceof DriverError) {
    return new CommandError(error.message, error.kind === 'invalid' ? EXIT_USAGE : EXIT_FAILED);
  }
  if (error instanceof PreviewError) {
    const why = `${error.message}: ${reasonOf(error.cause)}; without it there is no plan`;
    return new CommandError(why);
  }
  return error;
}

/** What `serve` would warn of; the rest of its log is about work that is not done here. */
function warningsTo({ stderr }: CommandIo): Log {
  const warn: Log['warn'] = (message, fields = {}) => {
    const detail = Object.entries(fields).filter(([, value]) => value != null);
    const rest = detail.map(([name, value]) => `${name}=${value}`).join(' ');
    const text = `warning: ${message}${rest === '' ? '' : ` (${rest})`}`;
    stderr.write(`room-launcher: ${oneLine(text)}\n`);
  };
  return { ...SILENT, warn, error: warn };
}
