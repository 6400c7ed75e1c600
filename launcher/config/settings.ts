/**
 * Every setting of this version: its name in the environment, what it may be, what that is for.
 * The key in the YAML file is the same name without LAUNCHER_, in camel case.
 */
import {
  apiKey,
  decimal,
  flag,
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
import { defaulted, hidden, open } from './setting.ts';

const DAY = 86_400;
const MIN_GATEWAY_SECRET = 32;
/** Sizes of a task. */
const CPU_MIN = 0.05;
const CPU_MAX = 256;
const MEMORY_MIB_MIN = 32;
const MEMORY_MIB_MAX = 1_048_576;

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
  driver: defaulted(
    'LAUNCHER_DRIVER',
    'docker',
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
  ecsAssignPublicIp: defaulted(
    'LAUNCHER_ECS_ASSIGN_PUBLIC_IP',
    'false',
    flag,
    'in a public subnet, tasks reach nothing without one',
  ),
  ecsCapacityProviders: open(
    'LAUNCHER_ECS_CAPACITY_PROVIDERS',
    nameList(/^[A-Za-z0-9_-]{1,255}$/, 'a comma list of capacity providers'),
    'the next one is used where no subnet has capacity on the first; without any, Fargate',
  ),
  ecsRunner: defaulted(
    'LAUNCHER_ECS_RUNNER',
    'false',
    flag,
    'LAUNCHER_ECS_TASK_DEFINITION runs our runner, whose exit codes can be read',
  ),
  ecsEventsQueueUrl: open(
    'LAUNCHER_ECS_EVENTS_QUEUE_URL',
    serverUrl('any-path', 'https', 'http'),
    'it is the SQS queue that task state changes of the cluster are sent to',
  ),
  agentFile: open('LAUNCHER_AGENT_FILE', aPath, 'it is the agent that tasks run'),
  agentEnvFile: open('LAUNCHER_AGENT_ENV_FILE', aPath, "it holds the agent's variables"),
  deployment: defaulted(
    'LAUNCHER_DEPLOYMENT',
    'default',
    pattern(/^[a-z0-9-]{1,24}$/, '1 to 24 of a-z, 0-9 and -'),
    'it is part of the name of every task',
  ),
  webhookListen: defaulted(
    'LAUNCHER_WEBHOOK_LISTEN',
    '0.0.0.0:8080',
    listenAddress,
    'LiveKit sends its webhooks there',
  ),
  gatewayListen: defaulted(
    'LAUNCHER_GATEWAY_LISTEN',
    '0.0.0.0:8083',
    listenAddress,
    'tasks dial it',
  ),
  gatewayUrl: open(
    'LAUNCHER_GATEWAY_URL',
    serverUrl('any-path', 'ws', 'wss'),
    'it is where tasks find LAUNCHER_GATEWAY_LISTEN',
  ),
  adminListen: defaulted(
    'LAUNCHER_ADMIN_LISTEN',
    '127.0.0.1:8082',
    listenAddress,
    'it answers health and the admin API',
  ),
  cpu: open('LAUNCHER_CPU', decimal(CPU_MIN, CPU_MAX), 'it is the cores of a task'),
  memoryMiB: open(
    'LAUNCHER_MEMORY_MIB',
    wholeNumber(MEMORY_MIB_MIN, MEMORY_MIB_MAX),
    'it is the memory of a task',
  ),
  standby: defaulted(
    'LAUNCHER_STANDBY',
    '0',
    wholeNumber(0, 100),
    "tasks that wait for a room, of the environment's own profile",
  ),
  retries: defaulted(
    'LAUNCHER_RETRIES',
    '3',
    wholeNumber(0, 100),
    'launches after the first, per room',
  ),
  startDeadlineSeconds: defaulted(
    'LAUNCHER_START_DEADLINE_SECONDS',
    '600',
    wholeNumber(1, DAY),
    'a task that does not run by then is stopped and tried again',
  ),
  joinDeadlineSeconds: defaulted(
    'LAUNCHER_JOIN_DEADLINE_SECONDS',
    '60',
    wholeNumber(1, DAY),
    'a task that is not in its room by then is stopped and tried again',
  ),
  shutdownTimeoutSeconds: defaulted(
    'LAUNCHER_SHUTDOWN_TIMEOUT_SECONDS',
    '60',
    wholeNumber(1, 3600),
    'a task that has not ended by then is killed',
  ),
  maxLifetimeSeconds: defaulted(
    'LAUNCHER_MAX_LIFETIME_SECONDS',
    '86400',
    wholeNumber(1, 365 * DAY),
    'a task that lives longer is stopped',
  ),
  resyncSeconds: defaulted(
    'LAUNCHER_RESYNC_SECONDS',
    '30',
    wholeNumber(1, 3600),
    'all rooms and tasks are looked at this often, whatever webhooks say',
  ),
  logLevel: defaulted(
    'LAUNCHER_LOG_LEVEL',
    'info',
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

/** `LAUNCHER_LOG_LEVEL` is `logLevel` in the file, `LAUNCHER_MEMORY_MIB` `memoryMiB`. */
export function fileKeyOf(name: string): string {
  const words = name
    .replace(/^LAUNCHER_/, '')
    .toLowerCase()
    .split('_');
  const key = words.map((word, i) => (i === 0 ? word : word[0]?.toUpperCase() + word.slice(1)));
  return key.join('').replace(/Mib$/, 'MiB');
}
