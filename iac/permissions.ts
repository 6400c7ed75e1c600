/**
 * What the launcher may do in AWS: what `launcher/drivers/ecs` calls, each on the resources that it
 * uses, and nothing else. By hand, because the construct library's grants are wider: they do not
 * tie a call to a cluster.
 */
import { aws_iam as iam, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge.ts';

export interface Reach {
  readonly clusterArn: string;
  readonly clusterName: string;
  /** Of the agents' task definitions. */
  readonly family: string;
  /** What agents' tasks run with. */
  readonly roleArns: readonly string[];
  readonly queueArn: string;
}

/** What is allowed; where it has a wildcard, why there is nothing narrower. */
interface Permission extends iam.PolicyStatementProps {
  readonly resources: string[];
  readonly wide?: string;
}

/** The role that the launcher's container runs with. */
export function launcherRole(scope: Construct, id: string, reach: Reach): iam.Role {
  const role = new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
    description: 'What the launcher may do in AWS',
  });
  for (const { wide, ...statement } of permissionsFor(scope, reach)) {
    role.addToPolicy(new iam.PolicyStatement(statement));
    if (wide === undefined) continue;
    for (const resource of statement.resources) acknowledgeWildcard(role, resource, wide);
  }
  return role;
}

function permissionsFor(scope: Construct, reach: Reach): readonly Permission[] {
  const { clusterArn, clusterName, family, roleArns, queueArn } = reach;
  const ofEcs = (resource: string, resourceName: string) =>
    Stack.of(scope).formatArn({ service: 'ecs', resource, resourceName });
  const tasks = ofEcs('task', `${clusterName}/*`);
  const definitions = ofEcs('task-definition', `${family}:*`);
  const inCluster = { ArnEquals: { 'ecs:cluster': clusterArn } };
  const anyTask = 'ECS chooses the names of tasks; they are those of one cluster';
  return [
    {
      sid: 'Launch',
      actions: ['ecs:RunTask'],
      resources: [definitions],
      conditions: inCluster,
      wide: 'each image is a revision of its own; they are those of one family',
    },
    {
      sid: 'TagWhatIsLaunched',
      actions: ['ecs:TagResource'],
      resources: [tasks],
      conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' } },
      wide: anyTask,
    },
    {
      sid: 'LookAndStop',
      actions: ['ecs:DescribeTasks', 'ecs:StopTask'],
      resources: [tasks],
      conditions: inCluster,
      wide: anyTask,
    },
    {
      sid: 'List',
      actions: ['ecs:ListTasks'],
      resources: ['*'],
      conditions: inCluster,
      wide: 'it knows no resource but instances, of which Fargate has none; a condition ties it',
    },
    {
      sid: 'GiveTheTasksTheirRoles',
      actions: ['iam:PassRole'],
      resources: [...roleArns],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    },
    ...forTheLookBefore(clusterArn),
    {
      sid: 'TaskEvents',
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
      resources: [queueArn],
    },
  ];
}

/** What the launcher looks at when it starts, and `doctor --ask-engine`. */
function forTheLookBefore(clusterArn: string): readonly Permission[] {
  return [
    {
      sid: 'LookAtTheClusterBefore',
      actions: ['ecs:DescribeClusters'],
      resources: [clusterArn],
    },
    {
      sid: 'LookAtTheTaskDefinitionBefore',
      actions: ['ecs:DescribeTaskDefinition'],
      resources: ['*'],
      wide: 'it knows no resource at all',
    },
  ];
}
