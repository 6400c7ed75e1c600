/**
 * A driver whose calls are noted: each verb, how it went and how long it took. It changes nothing
 * that a caller sees: the contract suite runs on a measured driver as on any other.
 */
import { DriverError, type Driver } from '../driver.ts';
import { callMeter, type NoteCall } from '../lib/call-meter.ts';
import type { Clock } from '../lib/clock.ts';

/** Every verb, so that one that is added to the contract cannot be forgotten here. */
type EveryVerb = { readonly [Verb in keyof Required<Driver>]: Driver[Verb] | undefined };

/** Wraps a driver; `note` hears of each call once it is over. */
export function measuredDriver(driver: Driver, clock: Clock, note: NoteCall): Driver {
  const meter = callMeter({ clock, note, kindOf });
  const measured: EveryVerb = {
    traits: driver.traits,
    launch: (request, signal) =>
      meter(
        'launch',
        () => driver.launch(request, signal),
        ({ outcome }) => outcome,
      ),
    list: (signal) => meter('list', () => driver.list(signal)),
    stop: (taskId, options, signal) =>
      meter('stop', () => driver.stop(taskId, options, signal), String),
    remove: (taskId, signal) => meter('remove', () => driver.remove(taskId, signal)),
    prepare:
      driver.prepare &&
      ((launches, signal) => meter('prepare', () => driver.prepare!(launches, signal))),
    logs:
      driver.logs &&
      ((taskId, options, signal) => meter('logs', () => driver.logs!(taskId, options, signal))),
    usage:
      driver.usage && ((taskIds, signal) => meter('usage', () => driver.usage!(taskIds, signal))),
    // No call of its own to the engine: what it costs there is the engine's to tell.
    watch: driver.watch && ((nudge) => driver.watch!(nudge)),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
  return measured as Driver;
}

function kindOf(error: unknown): string | null {
  return error instanceof DriverError ? error.kind : null;
}
