/**
 * Polices the caller: each limit that the API reference sets for a parameter, by action.
 *
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html and its siblings; the
 * SDK's own doc comments say the same. Only what the launcher may send is known here.
 */
import type {
  Cluster,
  CapacityProviderStrategyItem,
  DescribeTasksRequest,
  ListTasksRequest,
  RunTaskRequest,
  StopTaskRequest,
  Tag,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { ParameterError } from './errors.ts';

const COUNT_MAX = 10;
const OVERRIDES_MAX_CHARACTERS = 8192;
const STARTED_BY = /^[A-Za-z0-9\-/_]{1,128}$/;
/** "ASCII characters in the range of 33-126 (inclusive)." */
const CLIENT_TOKEN = /^[!-~]{1,64}$/;
const TAGS_MAX = 50;
const TAG_KEY = /^(?!aws:)[\p{L}\p{N} +\-=._:/@]{1,128}$/iu;
const TAG_VALUE = /^[\p{L}\p{N} +\-=._:/@]{0,256}$/u;
const SUBNETS_MAX = 16;
const SECURITY_GROUPS_MAX = 5;
const PROVIDERS_MAX = 20;
const WEIGHT_MAX = 1000;
const BASE_MAX = 100_000;
/** As earlier editions of the API reference have it; the present one names no limit. */
const REASON_MAX_CHARACTERS = 255;
const DESCRIBED_MAX = 100;
const PAGE_MAX = 100;
const LAUNCH_TYPES = ['EC2', 'FARGATE', 'EXTERNAL', 'MANAGED_INSTANCES'];

export function validateRunTask(input: RunTaskRequest): void {
  const { count = 1, startedBy, clientToken, launchType, overrides } = input;
  check(typeof input.taskDefinition === 'string' && input.taskDefinition !== '', 'TaskDefinition');
  check(isWhole(count, 1, COUNT_MAX), `count has to be from 1 to ${COUNT_MAX}`);
  check(startedBy === undefined || STARTED_BY.test(startedBy), 'startedBy');
  check(clientToken === undefined || CLIENT_TOKEN.test(clientToken), 'clientToken');
  check(launchType === undefined || LAUNCH_TYPES.includes(launchType), 'launchType');
  const characters = overrides === undefined ? 0 : JSON.stringify(overrides).length;
  check(characters <= OVERRIDES_MAX_CHARACTERS, 'Container Overrides length must be at most 8192');
  validateTags(input.tags ?? []);
  validateStrategy(input);
  validateNetwork(input);
}

/** What only the resolved task definition and cluster can tell. */
export function validatePlacement(
  input: RunTaskRequest,
  definition: TaskDefinition,
  cluster: Cluster,
): void {
  const containers = (definition.containerDefinitions ?? []).map(({ name }) => name);
  for (const { name } of input.overrides?.containerOverrides ?? []) {
    check(
      containers.includes(name),
      `Override for container named ${name} is not a container in the TaskDefinition.`,
    );
  }
  const awsvpc = definition.networkMode === 'awsvpc';
  const given = input.networkConfiguration?.awsvpcConfiguration !== undefined;
  check(
    given || !awsvpc,
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
  );
  check(!given || awsvpc, 'Network Configuration is not valid for the given networkMode.');
  const compatible = definition.requiresCompatibilities ?? [];
  check(
    input.launchType !== 'FARGATE' || compatible.length === 0 || compatible.includes('FARGATE'),
    'Task definition does not support launch_type FARGATE.',
  );
  for (const { capacityProvider } of input.capacityProviderStrategy ?? []) {
    check(
      cluster.capacityProviders?.includes(capacityProvider ?? '') ?? false,
      'The specified capacity provider strategy cannot contain a capacity provider that is not ' +
        'associated with the cluster.',
    );
  }
}

export function validateStopTask(input: StopTaskRequest): void {
  check(typeof input.task === 'string' && input.task !== '', 'taskId can not be blank.');
  check((input.reason?.length ?? 0) <= REASON_MAX_CHARACTERS, 'reason');
}

export function validateDescribeTasks(input: DescribeTasksRequest): void {
  check(Array.isArray(input.tasks) && input.tasks.length > 0, 'Tasks cannot be empty.');
  check((input.tasks ?? []).length <= DESCRIBED_MAX, 'Tasks length must be at most 100');
  check(
    (input.include ?? []).every((field) => field === 'TAGS'),
    'include',
  );
}

export function validateListTasks(input: ListTasksRequest): void {
  const { maxResults = PAGE_MAX, startedBy, desiredStatus, launchType } = input;
  check(isWhole(maxResults, 1, PAGE_MAX), `maxResults has to be from 1 to ${PAGE_MAX}`);
  check(
    desiredStatus === undefined || ['RUNNING', 'PENDING', 'STOPPED'].includes(desiredStatus),
    'desiredStatus',
  );
  check(launchType === undefined || LAUNCH_TYPES.includes(launchType), 'launchType');
  const filters = [input.family, input.serviceName, input.containerInstance, input.daemonName];
  const others = [...filters, desiredStatus, launchType].some((filter) => filter !== undefined);
  check(startedBy === undefined || !others, 'startedBy must be the only filter that you use');
}

function validateTags(tags: readonly Tag[]): void {
  check(tags.length <= TAGS_MAX, `at most ${TAGS_MAX} tags`);
  check(new Set(tags.map(({ key }) => key)).size === tags.length, 'tag keys must be unique');
  for (const { key = '', value = '' } of tags) {
    check(TAG_KEY.test(key), 'tag key');
    check(TAG_VALUE.test(value), 'tag value');
  }
}

function validateStrategy({ launchType, capacityProviderStrategy }: RunTaskRequest): void {
  const strategy: readonly CapacityProviderStrategyItem[] = capacityProviderStrategy ?? [];
  check(
    strategy.length === 0 || launchType === undefined,
    'Specifying both a launch type and capacity provider strategy is not supported. ' +
      'Remove one and try again.',
  );
  check(strategy.length <= PROVIDERS_MAX, `at most ${PROVIDERS_MAX} capacity providers`);
  for (const { weight = 0, base = 0 } of strategy) {
    check(isWhole(weight, 0, WEIGHT_MAX) && isWhole(base, 0, BASE_MAX), 'weight or base');
  }
  const fargate = strategy.filter(({ capacityProvider }) =>
    capacityProvider?.startsWith('FARGATE'),
  );
  check(
    fargate.length === 0 || fargate.length === strategy.length,
    'A capacity provider strategy cannot contain both Fargate and Auto Scaling group providers.',
  );
  check(strategy.filter(({ base = 0 }) => base > 0).length <= 1, 'only one base');
  check(
    strategy.length < 2 || strategy.some(({ weight = 0 }) => weight > 0),
    'a capacity provider strategy needs a weight above 0',
  );
}

function validateNetwork({ networkConfiguration }: RunTaskRequest): void {
  const awsvpc = networkConfiguration?.awsvpcConfiguration;
  if (!awsvpc) return;
  const { subnets = [], securityGroups = [], assignPublicIp = 'DISABLED' } = awsvpc;
  check(subnets.length >= 1, 'subnets can not be empty.');
  check(subnets.length <= SUBNETS_MAX, `subnets can have at most ${SUBNETS_MAX} items.`);
  check(
    securityGroups.length <= SECURITY_GROUPS_MAX,
    `securityGroups can have at most ${SECURITY_GROUPS_MAX} items.`,
  );
  check(['ENABLED', 'DISABLED'].includes(assignPublicIp), 'assignPublicIp');
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new ParameterError(message);
}
