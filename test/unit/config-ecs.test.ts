/** The settings of the ECS driver: what they become, and what is said about wrong ones. */
import { expect, test } from 'vitest';
import { type Config, type ConfigSources, parseConfig } from '../../launcher/config.ts';
import { fargateAdvice } from '../../launcher/config/ecs.ts';

const ECS = {
  LIVEKIT_URL: 'wss://livekit.example.com',
  LIVEKIT_API_KEY: 'APIkey',
  LIVEKIT_API_SECRET: 'an-api-secret-of-thirty-six-letters!',
  LAUNCHER_DRIVER: 'ecs',
  LAUNCHER_ECS_CLUSTER: 'agents',
  LAUNCHER_ECS_TASK_DEFINITION: 'agent:3',
  LAUNCHER_ECS_SUBNETS: 'subnet-1a,subnet-2b',
  LAUNCHER_GATEWAY_URL: 'ws://launcher.internal:8083',
};
type Env = Readonly<Record<string, string | undefined>>;

function sources(env: Env, profiles: readonly unknown[] = []): ConfigSources {
  return {
    env: { ...ECS, ...env },
    file: { profiles },
    baseDir: '/base',
    defaultAgentFile: '/app/agent.js',
    isReadableFile: () => true,
    readSecretFile: () => '',
  };
}

function accepted(env: Env = {}, profiles: readonly unknown[] = []): Config {
  const parsed = parseConfig(sources(env, profiles));
  if ('errors' in parsed) throw new Error(parsed.errors.join('\n'));
  return parsed.config;
}

function errorsOf(env: Env, profiles: readonly unknown[] = []): readonly string[] {
  const parsed = parseConfig(sources(env, profiles));
  return 'errors' in parsed ? parsed.errors : [];
}

test('the required settings alone give the documented defaults', () => {
  const config = accepted();
  expect(config.engine).toEqual({
    driver: 'ecs',
    cluster: 'agents',
    network: {
      subnets: ['subnet-1a', 'subnet-2b'],
      securityGroups: [],
      assignPublicIp: false,
      capacityProviders: [],
    },
    eventsQueueUrl: null,
  });
  const own = { name: 'default', template: 'agent:3', cpu: 1, memoryMiB: 2048 };
  expect(config.profiles.list).toEqual([expect.objectContaining(own)]);
});

test('all settings arrive, and lists keep their order', () => {
  const queue = 'https://sqs.eu-central-1.amazonaws.com/111122223333/events';
  const { engine } = accepted({
    LAUNCHER_ECS_SECURITY_GROUPS: 'sg-2, sg-1',
    LAUNCHER_ECS_ASSIGN_PUBLIC_IP: 'true',
    LAUNCHER_ECS_CAPACITY_PROVIDERS: 'FARGATE_SPOT,FARGATE',
    LAUNCHER_ECS_EVENTS_QUEUE_URL: queue,
  });
  expect(engine).toMatchObject({
    network: {
      securityGroups: ['sg-2', 'sg-1'],
      assignPublicIp: true,
      capacityProviders: ['FARGATE_SPOT', 'FARGATE'],
    },
    eventsQueueUrl: queue,
  });
});

test('size and runner of the default profile come from the environment', () => {
  const size = { LAUNCHER_CPU: '0.5', LAUNCHER_MEMORY_MIB: '1024' };
  const own = { name: 'default', cpu: 0.5, memoryMiB: 1024, runner: true };
  const { list } = accepted({ ...size, LAUNCHER_ECS_RUNNER: 'true' }).profiles;
  expect(list).toEqual([expect.objectContaining(own)]);
  const { list: others } = accepted(size, [
    { name: 'a', taskDefinition: 'a:1' },
    { name: 'b', taskDefinition: 'b:1', cpu: 1, memoryMiB: 4096 },
  ]).profiles;
  expect(others.map(({ cpu, memoryMiB }) => [cpu, memoryMiB])).toEqual([
    [0.5, 1024],
    [1, 4096],
    [0.5, 1024],
  ]);
});

test('a profile names its task definition, and whether it runs our runner', () => {
  const arn = 'arn:aws:ecs:eu-central-1:111122223333:task-definition/support:12';
  const { list } = accepted({ LAUNCHER_ECS_TASK_DEFINITION: undefined }, [
    { name: 'a', taskDefinition: arn, runner: true, cpu: 0.5, memoryMiB: 1024 },
    { name: 'b', taskDefinition: 'other:1', runner: false },
  ]).profiles;
  // As ECS lists it, so that a task of an older revision can be told.
  expect(list).toMatchObject([{ template: 'support:12', runner: true }, { template: 'other:1' }]);
  expect(list[1]).not.toHaveProperty('runner');
});

test.each<[string, Env, readonly unknown[], string]>([
  [
    'a size of the default profile that Fargate has not',
    { LAUNCHER_MEMORY_MIB: '1024' },
    [],
    'LAUNCHER_CPU, LAUNCHER_MEMORY_MIB: Fargate has no task with cpu 1 and 1024 MiB: choose',
  ],
  [
    'a runner without a default profile',
    { LAUNCHER_ECS_RUNNER: 'true', LAUNCHER_ECS_TASK_DEFINITION: undefined },
    [{ name: 'a', taskDefinition: 'a:1' }],
    'LAUNCHER_ECS_RUNNER is "true": it is for the environment',
  ],
  ['cluster', { LAUNCHER_ECS_CLUSTER: undefined }, [], 'LAUNCHER_ECS_CLUSTER is not set'],
  ['cluster', { LAUNCHER_ECS_CLUSTER: 'a b' }, [], 'LAUNCHER_ECS_CLUSTER is "a b"'],
  ['subnets', { LAUNCHER_ECS_SUBNETS: undefined }, [], 'LAUNCHER_ECS_SUBNETS is not set'],
  ['subnets', { LAUNCHER_ECS_SUBNETS: 'vpc-1' }, [], 'is "vpc-1", but must be a comma list of'],
  ['subnets', { LAUNCHER_ECS_SUBNETS: 'subnet-1,subnet-1' }, [], 'each of them once'],
  ['groups', { LAUNCHER_ECS_SECURITY_GROUPS: 'default' }, [], 'security groups (sg-…)'],
  ['public IP', { LAUNCHER_ECS_ASSIGN_PUBLIC_IP: 'ENABLED' }, [], 'must be true or false'],
  ['providers', { LAUNCHER_ECS_CAPACITY_PROVIDERS: ',' }, [], 'comma list of capacity providers'],
  [
    'queue',
    { LAUNCHER_ECS_EVENTS_QUEUE_URL: 'events' },
    [],
    'must be a URL that begins with https',
  ],
  [
    'no task definition',
    { LAUNCHER_ECS_TASK_DEFINITION: undefined },
    [],
    'LAUNCHER_ECS_TASK_DEFINITION is not set and has no default: set it',
  ],
  [
    'no revision',
    { LAUNCHER_ECS_TASK_DEFINITION: 'agent' },
    [],
    'is "agent", but must be family:revision of a task definition, or its ARN',
  ],
  [
    'no gateway URL',
    { LAUNCHER_GATEWAY_URL: undefined },
    [],
    'LAUNCHER_GATEWAY_URL is not set, and with LAUNCHER_DRIVER ecs there is no default',
  ],
  [
    'LiveKit on loopback',
    { LIVEKIT_URL: 'ws://localhost:7880' },
    [],
    'LIVEKIT_URL is "ws://localhost:7880": tasks on ECS cannot reach it there; set LAUNCHER_TASK_',
  ],
  [
    "another driver's setting",
    { LAUNCHER_AGENT_IMAGE: 'a:1' },
    [],
    'LAUNCHER_AGENT_IMAGE is "a:1": it is for LAUNCHER_DRIVER=docker',
  ],
  [
    'env file',
    { LAUNCHER_AGENT_ENV_FILE: 'a.env' },
    [],
    'LAUNCHER_AGENT_ENV_FILE is "a.env": ECS takes none: put the agent\'s variables into',
  ],
  [
    'env file of a profile',
    {},
    [{ name: 'a', taskDefinition: 'a:1', envFile: 'a.env' }],
    'profiles[0].envFile in the file of LAUNCHER_CONFIG: ECS takes none',
  ],
  [
    'image of a profile',
    {},
    [{ name: 'a', taskDefinition: 'a:1', image: 'a:1' }],
    'profiles[0].image in the file of LAUNCHER_CONFIG: it is for LAUNCHER_DRIVER=docker',
  ],
  ['nothing to run', {}, [{ name: 'a' }], 'it has no taskDefinition, which LAUNCHER_DRIVER ecs'],
  [
    'a size that Fargate has not',
    {},
    [{ name: 'a', taskDefinition: 'a:1', memoryMiB: 1024 }],
    'Fargate has no task with cpu 1 and 1024 MiB: choose cpu 1 with 2048 to 8192 MiB in steps of',
  ],
])('%s: %j, %j is refused in one line', (_title, env, profiles, part) => {
  expect(errorsOf(env, profiles)).toEqual([expect.stringContaining(part)]);
});

test('loopback is right where tasks are told another address', () => {
  const url = 'ws://livekit.internal:7880';
  const env = { LIVEKIT_URL: 'ws://127.0.0.1:7880', LAUNCHER_TASK_LIVEKIT_URL: url };
  expect(accepted(env).taskLivekitUrl).toBe(url);
});

test("instances of one's own take any size, and what launches nothing has none", () => {
  const odd = { cpu: 3, memoryMiB: 700 };
  const own = { LAUNCHER_ECS_CAPACITY_PROVIDERS: 'instances' };
  expect(errorsOf(own, [{ name: 'a', taskDefinition: 'a:1', ...odd }])).toEqual([]);
  expect(errorsOf({}, [{ name: 'a', launch: false, ...odd }])).toEqual([]);
});

test.each([
  [0.25, 512, true],
  [0.25, 1536, false],
  [0.5, 4096, true],
  [0.5, 5120, false],
  [1, 8192, true],
  [1, 2500, false],
  [3, 8192, false],
  [8, 61440, true],
  [8, 17408, false],
  [16, 122880, true],
])('Fargate has %d cores with %d MiB: %s', (cpu, memoryMiB, has) => {
  expect(fargateAdvice(cpu, memoryMiB) === null).toBe(has);
});
