/**
 * The driver for plain processes on this machine: development, the demo, a single host.
 *
 * The engine is a directory per deployment with one folder per task; each task is run by a small
 * supervisor that outlives the launcher (`supervisor.ts`). The folder's name is the task's key, so
 * that naming it, which the file system lets exactly one caller do, is what makes `launch`
 * idempotent across processes and restarts. A folder's files are explained in `records.ts`, what
 * they add up to in `convert.ts`.
 *
 * It does not isolate and enforces no cores or memory. All launchers of a directory must run on
 * one machine, in one pid namespace, as one user. A task that has lost its supervisor (killed by
 * hand) goes on, and a stop ends it without grace.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Driver, type DriverTraits, isTaskKey, type TaskId } from '../../driver.ts';
import { unlessAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { variablesReader } from '../../lib/env-file.ts';
import { type Log, reasonOf } from '../../lib/log.ts';
import { lookAtAll, prepare } from './calls.ts';
import { GRACE_MAX_MS, remove, stop } from './end.ts';
import { driverErrorOf } from './errors.ts';
import { launch, type LaunchParts } from './launch.ts';
import { usage } from './usage.ts';
import { logs } from './output.ts';
import { watchChanges } from './watch.ts';

/** For people, at the launcher's start. */
export const NO_ISOLATION_NOTICE =
  'the process driver does not isolate: agents run as this user on this machine, ' +
  'without limits of CPU or memory';

const TRAITS: DriverTraits = {
  name: 'process',
  listLagMs: 0,
  keyLifetimeMs: Infinity,
  endedRetentionMs: Infinity,
  removes: true,
  grace: { maxMs: GRACE_MAX_MS },
  // A start costs a core of this machine; the rate only stops a runaway.
  launches: { inFlight: availableParallelism(), perSecond: 20 },
};

export interface ProcessDriverOptions {
  /** Parent of the deployments' directories; see `defaultStateDir`. */
  readonly stateDir: string;
  readonly deployment: string;
  /** What runs for a template, as program and arguments; no secret may stand in it. */
  readonly command: (template: string) => readonly string[];
  /** What tasks see of the launcher's environment; see `essentialEnv`. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** The compiled supervisor; by default the one beside this module. */
  readonly supervisorFile?: string;
  readonly log?: Log;
}

export function processDriver(options: ProcessDriverOptions): Driver {
  const root = join(options.stateDir, options.deployment);
  let prepared: Promise<void> | undefined;
  /** Made once: a directory that vanishes later is an outage, not an empty list. */
  const ready = () =>
    (prepared ??= prepare(root).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    }));
  const call = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    unlessAborted(signal, () => ready().then(work)).catch((error: unknown) => {
      throw driverErrorOf(error);
    });
  const parts: LaunchParts = {
    root,
    command: options.command,
    baseEnv: options.baseEnv,
    supervisorFile: options.supervisorFile ?? besideThisModule('supervisor.js'),
    readVariables: variablesReader(options.log),
  };
  return {
    traits: TRAITS,
    async launch(request, signal) {
      assert(isTaskKey(request.key), `"${String(request.key)}" is no task key`);
      try {
        return await unlessAborted(signal, async () => {
          await ready();
          return launch(parts, request);
        });
      } catch (error) {
        return { outcome: 'unknown', detail: reasonOf(error) };
      }
    },
    list: (signal) =>
      call(signal, async () => (await lookAtAll(root, signal)).map(({ task }) => task)),
    stop: (taskId, how, signal) => call(signal, () => stop(root, taskId, how)),
    remove: (taskId, signal) => call(signal, () => remove(root, taskId)),
    ...(process.platform === 'linux' && {
      usage: (taskIds: readonly TaskId[], signal: AbortSignal) =>
        call(signal, () => usage(root, taskIds, signal)),
    }),
    logs: (taskId, how, signal) => call(signal, () => logs(root, taskId, how, signal)),
    watch: (nudge) => watchChanges(root, ready, nudge, options.log),
    async [Symbol.asyncDispose]() {
      // Nothing is held: tasks and their supervisors go on.
    },
  };
}

function besideThisModule(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
