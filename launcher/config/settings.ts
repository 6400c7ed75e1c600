/**
 * Every setting of this version: its name in the environment, what it may be, what that is for.
 * The key in the YAML file is the same name without LAUNCHER_, in camel case.
 */
import {
  apiKey,
  flag,
  type Form,
  keyPairs,
  listenAddress,
  nameList,
  oneOf,
  pattern,
  secret,
  secretList,
  serverUrl,
  taskDefinition,
  wholeNumber,
} from './values.ts';

export interface Setting<T> {
  readonly name: string;
  readonly form: Form<T>;
  /** Part of the error line: what the value is for, or what to do. */
  readonly hint: string;
  /** It can also come from the file that `<name>_FILE` names, and its value is never shown. */
  readonly secret: boolean;
  /** Whether an error may show its value. */
  readonly shown: boolean;
}

const DAY = 86_400;
const MIN_GATEWAY_SECRET = 32;

function open<T>(name: string, form: Form<T>, hint: string): Setting<T> {
  return { name, form, hint, secret: false, shown: true };
}

function hidden<T>(name: string, form: Form<T>, hint: string): Setting<T> {
  return { name, form, hint, secret: true, shown: false };
}

const aPath = pattern(/^[^\0]+$/, 'a path');

export const SETTINGS = {
  livekitUrl: open(
    'LIVEKIT_URL',
    serverUrl('bare', 'ws', 'wss', 'http', 'https'),
    'it is the LiveKit server whose rooms are served',
  ),
  livekitApiKey: {
    ...open('LIVEKIT_API_KEY', apiKey, "it is listed under `keys` in the server's config"),
    // Not shown, because `key: secret` in one is what people copy from there.
    shown: false,
  },
  livekitApiSecret: hidden('LIVEKIT_API_SECRET', secret, 'it belongs to LIVEKIT_API_KEY'),
  taskLivekitUrl: open(
    'LAUNCHER_TASK_LIVEKIT_URL',
    serverUrl('any-path', 'ws', 'wss', 'http', 'https'),
    'it is the LiveKit server as tasks reach it',
  ),
  webhookKeys: hidden(
    'LAUNCHER_WEBHOOK_KEYS',
    keyPairs,
    'they may sign webhooks beside LIVEKIT_API_KEY',
  ),
  gatewaySecret: hidden(
    'LAUNCHER_GATEWAY_SECRET',
    secretList(MIN_GATEWAY_SECRET),
    "tasks' credentials are derived from the first; without it, from LIVEKIT_API_SECRET",
  ),
  driver: open(
    'LAUNCHER_DRIVER',
    oneOf('docker', 'ecs', 'process'),
    'this version has no other driver',
  ),
  agentImage: open(
    'LAUNCHER_AGENT_IMAGE',
    pattern(/^[^\s]+$/, 'an image'),
    'it is the image that tasks run',
  ),
  dockerNetwork: open(
    'LAUNCHER_DOCKER_NETWORK',
    pattern(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "host, or a network's name"),
    'tasks are put on it',
  ),
  ecsCluster: open(
    'LAUNCHER_ECS_CLUSTER',
    pattern(/^(?:arn:[\w:/-]+|[A-Za-z0-9_-]{1,255})$/, 'name or ARN of a cluster'),
    'tasks run in it; best one of their own, for all of its tasks are listed',
  ),
  ecsTaskDefinition: open(
    'LAUNCHER_ECS_TASK_DEFINITION',
    taskDefinition,
    'it is what tasks run, in its container named agent',
  ),
  ecsSubnets: open(
    'LAUNCHER_ECS_SUBNETS',
    nameList(/^subnet-[0-9a-z]+$/, 'a comma list of subnets (subnet-…)'),
    'tasks are put into the first; into the next where it has no capacity',
  ),
  ecsSecurityGroups: open(
    'LAUNCHER_ECS_SECURITY_GROUPS',
    nameList(/^sg-[0-9a-z]+$/, 'a comma list of security groups (sg-…)'),
    "tasks get them; without any, the VPC's default one",
  ),
  ecsAssignPublicIp: open(
    'LAUNCHER_ECS_ASSIGN_PUBLIC_IP',
    flag,
    'in a public subnet, tasks reach nothing without one',
  ),
  ecsCapacityProviders: open(
    'LAUNCHER_ECS_CAPACITY_PROVIDERS',
    nameList(/^[A-Za-z0-9_-]{1,255}$/, 'a comma list of capacity providers'),
    'the next one is used where no subnet has capacity on the first; without any, Fargate',
  ),
  ecsEventsQueueUrl: open(
    'LAUNCHER_ECS_EVENTS_QUEUE_URL',
    serverUrl('any-path', 'https', 'http'),
    'it is the SQS queue that task state changes of the cluster are sent to',
  ),
  agentFile: open('LAUNCHER_AGENT_FILE', aPath, 'it is the agent that tasks run'),
  agentEnvFile: open('LAUNCHER_AGENT_ENV_FILE', aPath, "it holds the agent's variables"),
  deployment: open(
    'LAUNCHER_DEPLOYMENT',
    pattern(/^[a-z0-9-]{1,24}$/, '1 to 24 of a-z, 0-9 and -'),
    'it is part of the name of every task',
  ),
  webhookListen: open('LAUNCHER_WEBHOOK_LISTEN', listenAddress, 'LiveKit sends its webhooks there'),
  gatewayListen: open('LAUNCHER_GATEWAY_LISTEN', listenAddress, 'tasks dial it'),
  gatewayUrl: open(
    'LAUNCHER_GATEWAY_URL',
    serverUrl('any-path', 'ws', 'wss'),
    'it is where tasks find LAUNCHER_GATEWAY_LISTEN',
  ),
  adminListen: open('LAUNCHER_ADMIN_LISTEN', listenAddress, 'it answers health and the admin API'),
  standby: open(
    'LAUNCHER_STANDBY',
    wholeNumber(0, 100),
    "tasks that wait for a room, of the environment's own profile",
  ),
  retries: open('LAUNCHER_RETRIES', wholeNumber(0, 100), 'launches after the first, per room'),
  startDeadlineSeconds: open(
    'LAUNCHER_START_DEADLINE_SECONDS',
    wholeNumber(1, DAY),
    'a task that does not run by then is stopped and tried again',
  ),
  joinDeadlineSeconds: open(
    'LAUNCHER_JOIN_DEADLINE_SECONDS',
    wholeNumber(1, DAY),
    'a task that is not in its room by then is stopped and tried again',
  ),
  shutdownTimeoutSeconds: open(
    'LAUNCHER_SHUTDOWN_TIMEOUT_SECONDS',
    wholeNumber(1, 3600),
    'a task that has not ended by then is killed',
  ),
  maxLifetimeSeconds: open(
    'LAUNCHER_MAX_LIFETIME_SECONDS',
    wholeNumber(1, 365 * DAY),
    'a task that lives longer is stopped',
  ),
  resyncSeconds: open(
    'LAUNCHER_RESYNC_SECONDS',
    wholeNumber(1, 3600),
    'all rooms and tasks are looked at this often, whatever webhooks say',
  ),
  logLevel: open(
    'LAUNCHER_LOG_LEVEL',
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'lines below it are not written',
  ),
} as const;

/** Names the YAML file; it is no key of the file itself. */
export const CONFIG_FILE_SETTING = 'LAUNCHER_CONFIG';

/** The key that only the YAML file can hold: `profiles.ts` reads it. */
export const PROFILES_KEY = 'profiles';

/** What Kubernetes puts into the environment beside a Service named `launcher`. */
export const INJECTED = /^LAUNCHER_(?:SERVICE_|PORT)/;

/** `LAUNCHER_LOG_LEVEL` is `logLevel` in the file. */
export function fileKeyOf(name: string): string {
  const words = name
    .replace(/^LAUNCHER_/, '')
    .toLowerCase()
    .split('_');
  return words.map((word, i) => (i === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join('');
}
