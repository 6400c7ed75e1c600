/** How tasks reach this machine and the LiveKit server, and settings by which they could not. */
import { formatAddress, hostHere, type ListenAddress } from '../lib/listen.ts';
import type { EngineConfig } from './engine.ts';
import type { Reader } from './reader.ts';
import { SETTINGS } from './settings.ts';

/** How a container on a bridge calls the machine that it runs on. */
const HOST_ALIAS = 'host.docker.internal';

/** The host name by which tasks reach a listener of this machine that is open at `host`. */
export function taskHost(engine: EngineConfig, host: string): string {
  const here = hostHere(host);
  const onBridge = engine.driver === 'docker' && engine.network !== 'host';
  return onBridge && isLoopback(here) ? HOST_ALIAS : here;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.startsWith('127.') || host === '::1' || host === '[::1]';
}

/** A URL on this machine's loopback, as tasks must write it. */
export function seenByTasks(engine: EngineConfig, url: string): string {
  const seen = new URL(url);
  if (!isLoopback(seen.hostname)) return url;
  seen.hostname = taskHost(engine, seen.hostname);
  return seen.href.replace(/\/$/, '');
}

/** The addresses of a launcher, as far as they were given. */
export interface Addresses {
  readonly gatewayListen: ListenAddress;
  readonly gatewayUrl: string | null;
  readonly livekitUrl: string | undefined;
  readonly taskLivekitUrl: string | undefined;
}

/** Appends an error for each address by which tasks would not find what they need. */
export function refuseUnreachable(
  engine: EngineConfig,
  addresses: Addresses,
  read: Reader,
  errors: string[],
): void {
  if (engine.driver === 'ecs') refuseHere(addresses, read, errors);
  const { gatewayListen, gatewayUrl } = addresses;
  const onBridge = taskHost(engine, '127.0.0.1') === HOST_ALIAS;
  if (!onBridge || gatewayUrl !== null || !isLoopback(gatewayListen.host)) return;
  const what = `LAUNCHER_GATEWAY_LISTEN is ${formatAddress(gatewayListen)}`;
  errors.push(
    `${what}: containers on a bridge cannot reach loopback; ` +
      'listen on 0.0.0.0, or set LAUNCHER_DOCKER_NETWORK=host',
  );
}

/** Tasks on ECS run elsewhere: nothing about this machine says where they find it. */
function refuseHere(
  { gatewayUrl, livekitUrl, taskLivekitUrl }: Addresses,
  read: Reader,
  errors: string[],
): void {
  if (gatewayUrl === null) {
    errors.push(
      'LAUNCHER_GATEWAY_URL is not set, and with LAUNCHER_DRIVER ecs there is no default: ' +
        'set it to ws://… or wss://… by which tasks reach LAUNCHER_GATEWAY_LISTEN',
    );
  }
  if (livekitUrl === undefined || taskLivekitUrl !== undefined) return;
  if (isLoopback(new URL(livekitUrl).hostname)) {
    const advice = 'set LAUNCHER_TASK_LIVEKIT_URL to the server as they reach it';
    read.refuse(SETTINGS.livekitUrl, `tasks on ECS cannot reach it there; ${advice}`);
  }
}
