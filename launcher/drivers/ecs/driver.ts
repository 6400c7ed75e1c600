/**
 * The driver for Amazon ECS: a task per attempt, on Fargate or on a cluster's own instances.
 *
 * The engine is the registry: a task's client token and `startedBy` are its key, its exit is the
 * evidence, kept for about an hour. What a task is asked to be is in `request.ts`, what is read of it
 * in `convert.ts`. ECS takes no image at launch: a template is a task definition's revision, with a
 * container named `agent`.
 *
 * Overrides, and so the task's variables, are shown by DescribeTasks, events and CloudTrail: nothing
 * secret is among them but the task's own gateway credential. The agent's secrets are the task
 * definition's `secrets`.
 */
import { type Driver, type DriverTraits, isTaskKey } from '../../driver.ts';
import { unlessAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { Ecs, LAUNCHES, type SdkOptions } from './calls.ts';
import { examine } from './examine.ts';
import { launch } from './launch.ts';
import { Lister } from './list.ts';
import { logs } from './output.ts';
import { EventQueue } from './queue.ts';
import type { Place } from './request.ts';
import { stop } from './stop.ts';
import { watchQueue } from './watch.ts';

/** Far more than start within the time that a launch counts as under way. */
const LAUNCHES_AT_ONCE = 1_000;
const HOUR_MS = 3_600_000;

const TRAITS: DriverTraits = {
  name: 'ecs',
  // Usually two seconds; the service promises none, and a list that is believed too soon doubles.
  listLagMs: 30_000,
  // A token lasts as long as its task and an hour more, at most a day.
  keyLifetimeMs: HOUR_MS,
  endedRetentionMs: HOUR_MS,
  removes: false,
  // `stopTimeout` of the task definition, where it says nothing else.
  grace: { fixed: 30_000 },
  // Tasks start elsewhere: however many are on their way, they do not slow each other down.
  launches: { inFlight: LAUNCHES_AT_ONCE, perSecond: LAUNCHES.perSecond },
};

export interface EcsDriverOptions extends Place {
  /** SQS queue of the cluster's task state changes; null: no hints. */
  readonly eventsQueueUrl: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly sdk?: SdkOptions;
}

/** Rejects with `DriverError` `invalid` without a region; asks the service nothing yet. */
export async function ecsDriver(options: EcsDriverOptions): Promise<Driver> {
  const { deployment, clock, log, eventsQueueUrl, sdk = {} } = options;
  const ecs = await Ecs.open(options.cluster, clock, sdk);
  const lister = new Lister(ecs, deployment);
  const call = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    unlessAborted(signal, work).catch((error: unknown) => {
      throw ecs.errorOf(error);
    });
  return {
    traits: TRAITS,
    async launch(request, signal) {
      assert(isTaskKey(request.key), `"${String(request.key)}" is no task key`);
      try {
        return await call(signal, () => launch(options, ecs, request, signal));
      } catch (error) {
        return { outcome: 'unknown', detail: ecs.errorOf(error).message };
      }
    },
    list: (signal) => call(signal, () => lister.list(signal)),
    stop: (taskId, how, signal) => call(signal, () => stop(ecs, deployment, taskId, how, signal)),
    // Nothing can be freed: ECS forgets an ended task by itself.
    remove: (_taskId, signal) => call(signal, () => Promise.resolve()),
    logs: (taskId, _how, signal) => call(signal, () => logs(ecs, deployment, taskId, signal)),
    async prepare(launches, signal) {
      const templates = new Set(launches.map(({ template }) => template));
      const findings = await call(signal, () => examine(ecs, options.network, templates, signal));
      for (const { level, text } of findings) {
        if (level === 'wrong') log.warn('ECS is not set up as launches need it', { reason: text });
        else log.debug('not looked at ahead', { reason: text });
      }
    },
    ...(eventsQueueUrl !== null && {
      watch(nudge: () => void) {
        const queue = new EventQueue(eventsQueueUrl, sdk);
        return watchQueue({ queue, deployment, clock, log }, nudge);
      },
    }),
    async [Symbol.asyncDispose]() {
      // Tasks go on, and so does what the service was asked.
      ecs.close();
    },
  };
}
