/**
 * The driver for a Docker engine: a container per task, on this machine or another.
 *
 * The engine is the registry: a container's name is its task's key, its labels say whose it is, its
 * exit is the evidence. What containers may do is in `spec.ts`, what is read of them in `convert.ts`.
 * Whoever may ask this engine for a container is root on its machine, the launcher included; agents
 * are not, and see no socket.
 *
 * The agent's variables (`envFile`) become the container's environment: who may inspect containers
 * can read them. That is the user's choice; nothing of the launcher's own is among them.
 *
 * Images of private registries have to be on the engine already: it is asked without credentials.
 */
import { availableParallelism } from 'node:os';
import { type Driver, type DriverTraits, isTaskKey, type Preparation } from '../../driver.ts';
import { unlessAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { variablesReader } from '../../lib/env-file.ts';
import type { Log } from '../../lib/log.ts';
import { Engine } from './calls.ts';
import { addressText, connectionOf, type EngineAddress } from './connection.ts';
import { GRACE_MAX_MS, remove, stop } from './end.ts';
import { driverErrorOf } from './errors.ts';
import { Images } from './images.ts';
import { launch, type LaunchParts } from './launch.ts';
import { Lister } from './list.ts';
import { logs } from './output.ts';
import { type NetworkChoice, Networks, removeNetworks } from './network.ts';
import { Stops } from './stops.ts';
import { usage } from './usage.ts';
import { watchEvents } from './watch.ts';

const TRAITS: DriverTraits = {
  name: 'docker',
  listLagMs: 0,
  keyLifetimeMs: Infinity,
  endedRetentionMs: Infinity,
  removes: true,
  grace: { maxMs: GRACE_MAX_MS },
  // A start costs a core, and the engine is mostly on this machine; the rate only stops a runaway.
  launches: { inFlight: availableParallelism(), perSecond: 20 },
};

export interface DockerDriverOptions {
  readonly deployment: string;
  readonly engine: EngineAddress;
  readonly network: NetworkChoice;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DockerDriver extends Driver {
  /**
   * Pulls images that the engine does not have; resolves when each is there or cannot be had, which
   * the log says. Rejects with `DriverError` when the engine does not answer.
   */
  prepare(launches: readonly Preparation[], signal: AbortSignal): Promise<void>;
  /** Removes the deployment's own network, once no container is left on it. */
  removeNetwork(signal: AbortSignal): Promise<void>;
}

/** Throws `DriverError` `invalid` for an address that is none; asks the engine nothing yet. */
export function dockerDriver(options: DockerDriverOptions): DockerDriver {
  const { deployment, clock, log } = options;
  const connection = connectionOf(options.engine);
  const stops = new Stops(clock, log);
  const images = new Images({ clock, log });
  const lister = new Lister(deployment, (id) => stops.isStopping(id));
  const engine = opener(() => Engine.open(connection));
  const errorOf = (error: unknown) => driverErrorOf(error, addressText(connection));
  const call = <T>(signal: AbortSignal, work: (engine: Engine) => Promise<T>): Promise<T> =>
    unlessAborted(signal, () => engine().then(work)).catch((error: unknown) => {
      throw errorOf(error);
    });
  const parts: LaunchParts = {
    deployment,
    networks: new Networks(deployment, options.network),
    images,
    readVariables: variablesReader(log),
    isStopping: (id) => stops.isStopping(id),
    clock,
  };
  return {
    traits: TRAITS,
    async launch(request, signal) {
      assert(isTaskKey(request.key), `"${String(request.key)}" is no task key`);
      try {
        return await call(signal, (to) => launch(parts, to, request, signal));
      } catch (error) {
        return { outcome: 'unknown', detail: driverErrorOf(error, '').message };
      }
    },
    list: (signal) => call(signal, (to) => lister.list(to, signal)),
    stop: (taskId, how, signal) =>
      call(signal, (to) => stop(to, deployment, stops, taskId, how, signal)),
    remove: (taskId, signal) => call(signal, (to) => remove(to, deployment, taskId, signal)),
    usage: (taskIds, signal) => call(signal, (to) => usage(to, deployment, taskIds, signal)),
    logs: (taskId, how, signal) =>
      call(signal, (to) => logs(to, deployment, taskId, how, signal, errorOf)),
    watch(nudge) {
      return watchEvents(
        (signal) => call(signal, (to) => to.events(deployment, signal)),
        nudge,
        clock,
        log,
      );
    },
    async prepare(launches, signal) {
      const each = (to: Engine) => launches.map((wanted) => images.prepare(to, wanted));
      await call(signal, (to) => Promise.all(each(to)));
    },
    removeNetwork: (signal) => call(signal, (to) => removeNetworks(to, deployment, signal)),
    async [Symbol.asyncDispose]() {
      // Containers go on, and so does what the engine was asked.
      stops.close();
      await images.close();
    },
  };
}

/** Asks once who the engine is; anew after a failure. */
function opener(open: () => Promise<Engine>): () => Promise<Engine> {
  let opened: Promise<Engine> | undefined;
  return () =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));
}
