/**
 * The network that tasks are on. By default a bridge of the deployment's own, on which tasks reach
 * the world and the host but not each other; made when it is first needed, and again when somebody
 * pruned it.
 */
import type { Engine } from './calls.ts';
import { refusalOf, refused, type Refused, wordsOf } from './errors.ts';
import { LABELS } from './labels.ts';

export type NetworkChoice =
  | { readonly mode: 'own' }
  /** No isolation of the network at all: tasks see what this machine sees. */
  | { readonly mode: 'host' }
  /** One that somebody made. */
  | { readonly name: string };

export interface Attachment {
  readonly network: string;
  /** Does the host need a name there? */
  readonly hostAlias: boolean;
}

/** Drivers of networks on which the host is this machine itself, or nothing. */
const WITHOUT_ALIAS = new Set(['host', 'null']);

/** Finds or makes the network; an error without an answer is thrown on. */
export async function attachment(
  engine: Engine,
  deployment: string,
  choice: NetworkChoice,
  signal: AbortSignal,
): Promise<Attachment | Refused> {
  if ('name' in choice) return named(engine, choice.name);
  if (choice.mode === 'host') return { network: 'host', hostAlias: false };
  const found = await own(engine, deployment, signal);
  if (found !== null) return found;
  const name = networkName(deployment);
  try {
    await engine.createNetwork(
      {
        Name: name,
        Driver: 'bridge',
        Labels: { [LABELS.deployment]: deployment },
        Options: { 'com.docker.network.bridge.enable_icc': 'false' },
      },
      signal,
    );
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    const detail = `the engine cannot make the network ${name}: ${wordsOf(error)}`;
    return refused('capacity', 'same-key', detail);
  }
  // Not the one just made: of several made at once by several launchers all take the oldest.
  const made = await own(engine, deployment, signal);
  if (made !== null) return made;
  const detail = `a network ${name} is there and not ours: remove it or choose another network`;
  return refused('invalid', 'never', detail);
}

/** Removes a deployment's own network; one with containers on it stays, and the call rejects. */
export async function removeNetworks(
  engine: Engine,
  deployment: string,
  signal: AbortSignal,
): Promise<void> {
  for (const { id } of await engine.networks(deployment, signal)) {
    await engine.removeNetwork(id, signal);
  }
}

function networkName(deployment: string): string {
  return `room-launcher.${deployment}`;
}

async function own(
  engine: Engine,
  deployment: string,
  signal: AbortSignal,
): Promise<Attachment | null> {
  const [oldest] = await engine.networks(deployment, signal);
  return oldest === undefined ? null : { network: oldest.id, hostAlias: true };
}

async function named(engine: Engine, name: string): Promise<Attachment | Refused> {
  const driver = await engine.networkDriver(name);
  if (driver !== null) return { network: name, hostAlias: !WITHOUT_ALIAS.has(driver) };
  const detail = `the engine has no network "${name}": make it, or correct LAUNCHER_DOCKER_NETWORK`;
  return refused('invalid', 'never', detail);
}
