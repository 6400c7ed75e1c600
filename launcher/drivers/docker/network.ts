/**
 * The network that tasks are on. By default a bridge of the deployment's own, on which tasks reach
 * the world and the host but not each other; made when it is first needed, and again when somebody
 * pruned it.
 */
import { createHash } from 'node:crypto';
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

export class Networks {
  readonly #deployment: string;
  readonly #choice: NetworkChoice;
  /** One at a time: who comes meanwhile takes the same. */
  #making: Promise<Attachment | Refused> | undefined;

  constructor(deployment: string, choice: NetworkChoice) {
    this.#deployment = deployment;
    this.#choice = choice;
  }

  /** Finds or makes the network; an error without an answer is thrown on. */
  async attach(engine: Engine, signal: AbortSignal): Promise<Attachment | Refused> {
    const choice = this.#choice;
    if ('name' in choice) return named(engine, choice.name);
    if (choice.mode === 'host') return { network: 'host', hostAlias: false };
    const found = await own(engine, this.#deployment, signal);
    if (found !== null) return found;
    this.#making ??= make(engine, this.#deployment, signal).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }
}

/**
 * The engine lets two networks have one name, if two launchers ask at once, and then takes neither;
 * of two bridges with one interface name it refuses the second.
 */
async function make(
  engine: Engine,
  deployment: string,
  signal: AbortSignal,
): Promise<Attachment | Refused> {
  const name = `room-launcher.${deployment}`;
  const Options = {
    'com.docker.network.bridge.name': interfaceName(deployment),
    'com.docker.network.bridge.enable_icc': 'false',
  };
  const Labels = { [LABELS.deployment]: deployment };
  let problem = refused(
    'invalid',
    'never',
    `a network ${name} is there and not ours: remove it, or set LAUNCHER_DOCKER_NETWORK`,
  );
  try {
    await engine.createNetwork({ Name: name, Driver: 'bridge', Labels, Options }, signal);
  } catch (error) {
    if (refusalOf(error) === null) throw error;
    const detail = `the engine cannot make the network ${name}: ${wordsOf(error)}`;
    problem = refused('capacity', 'same-key', detail);
  }
  return (await own(engine, deployment, signal)) ?? problem;
}

/** As long as Linux lets a name of an interface be. */
function interfaceName(deployment: string): string {
  return `rl-${createHash('sha256').update(deployment).digest('hex').slice(0, 12)}`;
}

/** Removes a deployment's own network; one with containers on it stays, and the call rejects. */
export async function removeNetworks(
  engine: Engine,
  deployment: string,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await engine.networks(deployment, signal)) {
    await engine.removeNetwork(id, signal);
  }
}

async function own(
  engine: Engine,
  deployment: string,
  signal: AbortSignal,
): Promise<Attachment | null> {
  const [network] = await engine.networks(deployment, signal);
  return network === undefined ? null : { network, hostAlias: true };
}

async function named(engine: Engine, name: string): Promise<Attachment | Refused> {
  const driver = await engine.networkDriver(name);
  if (driver !== null) return { network: name, hostAlias: !WITHOUT_ALIAS.has(driver) };
  const detail = `the engine has no network "${name}": make it, or correct LAUNCHER_DOCKER_NETWORK`;
  return refused('invalid', 'never', detail);
}
