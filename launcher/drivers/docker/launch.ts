/**
 * `launch` of the Docker engine: create, start; a look when there was none to create. The container's
 * name is the key's, so that the engine lets exactly one caller create it.
 *
 * A launch is a fact once the container is created: whatever is lost after that leaves a container
 * that a repeat starts. One that the engine refuses to start is removed again, so that a refusal
 * leaves nothing behind; should that fail as well, it is listed as ended, with the engine's words.
 */
import { engineName, type LaunchRequest, type LaunchResult, type TaskKey } from '../../driver.ts';
import { type Clock, delay } from '../../lib/clock.ts';
import type { VariablesReader } from '../../lib/env-file.ts';
import type { Engine } from './calls.ts';
import { type Inspection, isHalfDone, taskOf } from './convert.ts';
import { refusalOf, refused, statusOf, type Refused } from './errors.ts';
import type { Images } from './images.ts';
import { keyOf } from './labels.ts';
import type { Networks } from './network.ts';
import { containerSpec } from './spec.ts';

/** Looks at a name that another launcher has just taken. */
const LOOKS_MAX = 20;
const LOOK_AGAIN_MS = 50;

const REMOVED: LaunchResult = {
  outcome: 'unknown',
  detail: 'the container was removed meanwhile',
};

export interface LaunchParts {
  readonly deployment: string;
  readonly networks: Networks;
  readonly images: Images;
  readonly readVariables: VariablesReader;
  readonly isStopping: (id: string) => boolean;
  readonly clock: Clock;
}

/** The contract's `launch`; rejects where the contract says `unknown`. */
export async function launch(
  parts: LaunchParts,
  engine: Engine,
  request: LaunchRequest,
  signal: AbortSignal,
): Promise<LaunchResult> {
  const created = await create(parts, engine, request, signal);
  if (typeof created === 'string') return start(parts, engine, created, signal);
  const name = engineName(parts.deployment, request.key);
  // One of an earlier launch counts, whatever stands in the way of a new one.
  const seen = await (created === null
    ? look(parts, engine, name, signal)
    : engine.inspect(name, signal));
  if (seen !== null) return finish(parts, engine, seen, request.key, signal);
  return created ?? REMOVED;
}

/** The new container's id; null when somebody else has created it. */
async function create(
  parts: LaunchParts,
  engine: Engine,
  request: LaunchRequest,
  signal: AbortSignal,
): Promise<string | null | Refused> {
  const { deployment, images } = parts;
  const variables = await parts.readVariables(request.envFile);
  if (!('env' in variables)) return refused('invalid', 'never', variables.problem);
  const missing = await images.ready(engine, request);
  if (missing !== null) return missing;
  const attached = await parts.networks.attach(engine, signal);
  if ('outcome' in attached) return attached;
  const { logDriver } = engine;
  const around = { deployment, ...attached, logDriver, variables: variables.env };
  const spec = containerSpec(request, around);
  try {
    return await engine.create(engineName(deployment, request.key), spec, signal);
  } catch (error) {
    if (statusOf(error) === 404) images.forget(request.template);
    return refusedOrThrown(error);
  }
}

/** The engine takes a name before it shows the container: between the two there is none to see. */
async function look(
  { clock }: LaunchParts,
  engine: Engine,
  name: string,
  signal: AbortSignal,
): Promise<Inspection | null> {
  for (let looks = 1; looks < LOOKS_MAX; looks += 1) {
    const seen = await engine.inspect(name, signal);
    if (seen !== null) return seen;
    await delay(clock, LOOK_AGAIN_MS, signal);
  }
  return engine.inspect(name, signal);
}

/** Brings a container that has the key's name to where the launch is done. */
async function finish(
  parts: LaunchParts,
  engine: Engine,
  seen: Inspection,
  key: TaskKey,
  signal: AbortSignal,
): Promise<LaunchResult> {
  const { deployment } = parts;
  if (keyOf(seen.Config.Labels ?? {}, deployment) !== key) {
    const name = engineName(deployment, key);
    const detail = `the container name ${name} is taken by a container that is not ours: remove it`;
    return refused('invalid', 'never', detail);
  }
  return isHalfDone(seen) ? start(parts, engine, seen.Id, signal) : accepted(parts, seen);
}

async function start(
  parts: LaunchParts,
  engine: Engine,
  id: string,
  signal: AbortSignal,
): Promise<LaunchResult> {
  try {
    await engine.start(id, signal);
  } catch (error) {
    const refusal = refusedOrThrown(error);
    await engine.remove(id, signal);
    return refusal;
  }
  const seen = await engine.inspect(id, signal);
  return seen === null ? REMOVED : accepted(parts, seen);
}

function accepted(parts: LaunchParts, seen: Inspection): LaunchResult {
  const task = taskOf(seen, parts.deployment, parts.isStopping(seen.Id));
  return { outcome: 'accepted', task };
}

function refusedOrThrown(error: unknown): Refused {
  const refusal = refusalOf(error);
  if (refusal === null) throw error;
  return refusal;
}
