/**
 * `launch` of the Docker engine: look, create, start. The container's name is the key's, so that the
 * engine lets exactly one caller create it.
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
  const name = engineName(parts.deployment, request.key);
  const before = await engine.inspect(name, signal);
  if (before !== null) return finish(parts, engine, before, request.key, signal);
  const created = await create(parts, engine, request, signal);
  if (typeof created === 'object' && created !== null) return created;
  const seen = await look(parts, engine, created ?? name, signal);
  if (seen === null) return { outcome: 'unknown', detail: 'the container was removed meanwhile' };
  return finish(parts, engine, seen, request.key, signal);
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
  idOrName: string,
  signal: AbortSignal,
): Promise<Inspection | null> {
  for (let looks = 1; looks < LOOKS_MAX; looks += 1) {
    const seen = await engine.inspect(idOrName, signal);
    if (seen !== null) return seen;
    await delay(clock, LOOK_AGAIN_MS, signal);
  }
  return engine.inspect(idOrName, signal);
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
  if (!isHalfDone(seen)) return accepted(parts, seen);
  try {
    await engine.start(seen.Id, signal);
  } catch (error) {
    const refusal = refusedOrThrown(error);
    await engine.remove(seen.Id, signal);
    return refusal;
  }
  return accepted(parts, (await engine.inspect(seen.Id, signal)) ?? seen);
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
