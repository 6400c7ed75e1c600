/**
 * The API: each action that the launcher uses, on an account, as a function from input to output. It
 * throws `EcsError` where the service answers an error.
 */
import type {
  DescribeClustersRequest,
  DescribeTaskDefinitionRequest,
  DescribeTasksRequest,
  Failure,
  ListTasksRequest,
  RunTaskRequest,
  StopTaskRequest,
  Task,
} from '@aws-sdk/client-ecs';
import type { EcsAccount } from './account.ts';
import type { BucketName } from './buckets.ts';
import { EcsError, taskDefinitionNotFound, taskNotFound } from './errors.ts';
import { launch, takeFargateTokens } from './launch.ts';
import { pageOf } from './page.ts';
import {
  validateDescribeTasks,
  validateListTasks,
  validatePlacement,
  validateRunTask,
  validateStopTask,
} from './validate.ts';

interface Inputs {
  RunTask: RunTaskRequest;
  StopTask: StopTaskRequest;
  DescribeTasks: DescribeTasksRequest;
  ListTasks: ListTasksRequest;
  DescribeClusters: DescribeClustersRequest;
  DescribeTaskDefinition: DescribeTaskDefinitionRequest;
}
export type Action = keyof Inputs;
export type ActionInput = Inputs[Action];

type Run<A extends Action> = (account: EcsAccount, input: Inputs[A]) => object;

const ACTIONS: { readonly [A in Action]: Run<A> } = {
  RunTask: runTask,
  StopTask: stopTask,
  DescribeTasks: describeTasks,
  ListTasks: listTasks,
  DescribeClusters: describeClusters,
  DescribeTaskDefinition: describeTaskDefinition,
};

const BUCKETS: Readonly<Record<Action, BucketName>> = {
  RunTask: 'clusterResourceModify',
  StopTask: 'clusterResourceModify',
  DescribeTasks: 'clusterResourceRead',
  ListTasks: 'clusterResourceRead',
  DescribeClusters: 'clusterRead',
  DescribeTaskDefinition: 'taskDefinitionRead',
};

export function isAction(name: string): name is Action {
  return Object.hasOwn(ACTIONS, name);
}

/** Carries one action out, or throws what the service answers instead. */
export function act<A extends Action>(account: EcsAccount, action: A, input: Inputs[A]): object {
  account.settle();
  account.buckets.take(BUCKETS[action], account.nowMs);
  const output = ACTIONS[action](account, input);
  account.settle();
  return output;
}

function runTask(account: EcsAccount, input: RunTaskRequest) {
  validateRunTask(input);
  const cluster = account.catalogue.cluster(input.cluster);
  const definition = account.catalogue.findDefinition(input.taskDefinition ?? '');
  if (!definition) throw taskDefinitionNotFound();
  const { clusterArn = '', clusterName = '' } = cluster;
  account.permissions.checkRunTask(input, definition, account.taskArn(clusterName, '*'));
  validatePlacement(input, definition, cluster);
  const { clientToken, ...parameters } = input;
  const { nowMs, tokens } = account;
  const known = clientToken && tokens.find(clusterArn, clientToken, parameters, nowMs);
  if (known) {
    const tasks = known.tasks.map((task) => repeated(task.view(task.versionAt(nowMs), true)));
    return { tasks, failures: known.failures };
  }
  takeFargateTokens(account, input, cluster);
  const result = launch(account, input, cluster, definition);
  if (clientToken) tokens.keep(clusterArn, clientToken, parameters, result, nowMs);
  const tasks = result.tasks.map((task) => task.view(task.versionAt(nowMs), true));
  return { tasks, failures: result.failures };
}

/**
 * "Tasks that have been stopped for under an hour only include the task ARN, last status, and desired
 * status" when RunTask is repeated.
 */
function repeated(task: Task): Task {
  const { taskArn, lastStatus, desiredStatus } = task;
  return lastStatus === 'STOPPED' ? { taskArn, lastStatus, desiredStatus } : task;
}

/**
 * A stopped task that is still known is answered as it is: it is not documented to be an error. No lag
 * is put on this action; a test that wants one scripts `taskNotFound` as a fault.
 */
function stopTask(account: EcsAccount, input: StopTaskRequest) {
  validateStopTask(input);
  const { clusterName = '', clusterArn } = account.catalogue.cluster(input.cluster);
  const arn = account.taskArn(clusterName, input.task ?? '');
  account.permissions.check('ecs:StopTask', arn);
  const task = account.tasks.get(arn);
  if (!task || task.facts.clusterArn !== clusterArn) throw taskNotFound();
  const stoppedReason = input.reason ?? 'Task stopped by user';
  account.stop(task, { stopCode: 'UserInitiated', stoppedReason, tags: [] });
  return { task: task.view(task.versionAt(account.nowMs), true) };
}

function describeTasks(account: EcsAccount, input: DescribeTasksRequest) {
  validateDescribeTasks(input);
  const { clusterName = '', clusterArn } = account.catalogue.cluster(input.cluster);
  const withTags = input.include?.includes('TAGS') ?? false;
  const tasks: Task[] = [];
  const failures: Failure[] = [];
  for (const name of input.tasks ?? []) {
    const arn = account.taskArn(clusterName, name);
    account.permissions.check('ecs:DescribeTasks', arn);
    const task = account.tasks.get(arn);
    const version = task?.versionAt(account.nowMs - account.listLagMs) ?? 0;
    if (task?.facts.clusterArn === clusterArn && version > 0) {
      tasks.push(task!.view(version, withTags));
    } else {
      failures.push({ arn, reason: 'MISSING' });
    }
  }
  return { tasks, failures };
}

function listTasks(account: EcsAccount, input: ListTasksRequest) {
  validateListTasks(input);
  account.permissions.check('ecs:ListTasks', '*');
  const { clusterArn } = account.catalogue.cluster(input.cluster);
  const atMs = account.nowMs - account.listLagMs;
  const { desiredStatus = 'RUNNING', startedBy, family, launchType } = input;
  const matching = [...account.tasks.values()].filter(
    (task) =>
      task.facts.clusterArn === clusterArn &&
      task.versionAt(atMs) > 0 &&
      task.stateAt(atMs).desiredStatus === desiredStatus &&
      (startedBy === undefined || task.facts.startedBy === startedBy) &&
      (family === undefined || task.facts.definition.family === family) &&
      (launchType === undefined || task.facts.launchType === launchType),
  );
  return pageOf(
    matching.map((task) => task.arn),
    input,
  );
}

function describeClusters(account: EcsAccount, input: DescribeClustersRequest) {
  const clusters = [];
  const failures: Failure[] = [];
  for (const name of input.clusters ?? ['default']) {
    const arn = name.startsWith('arn:') ? name : `${account.arnPrefix}:cluster/${name}`;
    account.permissions.check('ecs:DescribeClusters', arn);
    const cluster = account.catalogue.findCluster(name);
    if (cluster) clusters.push(cluster);
    else failures.push({ arn, reason: 'MISSING' });
  }
  return { clusters, failures };
}

function describeTaskDefinition(account: EcsAccount, input: DescribeTaskDefinitionRequest) {
  account.permissions.check('ecs:DescribeTaskDefinition', '*');
  const taskDefinition = account.catalogue.findDefinition(input.taskDefinition ?? '');
  if (taskDefinition) return { taskDefinition };
  throw new EcsError('ClientException', 'Unable to describe task definition.');
}
