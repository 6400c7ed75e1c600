/**
 * The launcher may do what its code does, on what it does it to, and nothing else. The calls are
 * read from the driver's sources, so that a new one without its permission fails here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNT, AGENT_IMAGE, LIVEKIT_SECRET, REGION, ROOT, stackOf } from '../support/iac.ts';
import { allows, type Request, resolved, type Statement } from '../support/policy.ts';

const DRIVER = join(ROOT, 'launcher/drivers/ecs');
const CLUSTER = `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/RoomLauncherCluster`;
const OTHER_CLUSTER = `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/other`;
const TASK = `arn:aws:ecs:${REGION}:${ACCOUNT}:task/RoomLauncherCluster/0a1b`;
const OTHER_TASK = `arn:aws:ecs:${REGION}:${ACCOUNT}:task/other/0a1b`;
const within = (cluster: string) => ({ 'ecs:cluster': cluster });

const definition = (name: string) => `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/${name}:7`;
const queue = (name: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const repository = (name: string) => `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/${name}`;
const logsOf = (name: string) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${name}:*`;
let policies: ReadonlyMap<string, readonly Statement[]>;
let family: string;
beforeAll(() => {
  const template = Template.fromStack(stackOf()).toJSON();
  policies = resolved(template, { account: ACCOUNT, region: REGION });
  const [agent] = Object.values<{ Type: string; Properties: { Family: string } }>(
    template['Resources'],
  ).filter(
    ({ Type, Properties }) => Type.endsWith('::TaskDefinition') && /Agent/.test(Properties.Family),
  );
  family = agent?.Properties.Family ?? '';
});

function of(named: RegExp): readonly Statement[] {
  const found = [...policies].filter(([name]) => named.test(name));
  expect(found).toHaveLength(1);
  return found.flatMap(([, statements]) => statements);
}

const LAUNCHER = /^RoomLauncherTaskRole/;

/** `ecs:RunTask` for a `RunTaskCommand` that is imported from the ECS client. */
function callsOfTheDriver(): string[] {
  const calls = new Set<string>();
  for (const file of readdirSync(DRIVER)) {
    const text = readFileSync(join(DRIVER, file), 'utf8');
    const imports = text.matchAll(/import (?:type )?\{([^}]*)\} from '@aws-sdk\/client-(\w+)'/g);
    for (const [, names = '', service] of imports) {
      for (const [, call] of names.matchAll(/\b(\w+)Command\b/g)) calls.add(`${service}:${call}`);
    }
  }
  return [...calls].toSorted();
}

describe('the launcher', () => {
  it('may do what its code calls, and what RunTask does on its behalf', () => {
    const allowed = of(LAUNCHER).flatMap(({ actions }) => actions);
    expect(callsOfTheDriver().length).toBeGreaterThan(5);
    const implied = ['ecs:TagResource', 'iam:PassRole'];
    expect(allowed.toSorted()).toEqual([...callsOfTheDriver(), ...implied].toSorted());
  });

  it('imports no client of another service', () => {
    const text = readdirSync(DRIVER).map((file) => readFileSync(join(DRIVER, file), 'utf8'));
    const services = text.join('\n').matchAll(/@aws-sdk\/client-(\w+)/g);
    expect(new Set([...services].map(([, name]) => name))).toEqual(new Set(['ecs', 'sqs']));
  });

  const toTasks = { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' };
  type Row = readonly [title: string, request: () => Request, allowed: boolean];
  const rows: readonly Row[] = [
    [
      'run its agent',
      () => ({ action: 'ecs:RunTask', resource: definition(family), context: within(CLUSTER) }),
      true,
    ],
    [
      'run it elsewhere',
      () => ({
        action: 'ecs:RunTask',
        resource: definition(family),
        context: within(OTHER_CLUSTER),
      }),
      false,
    ],
    [
      'run something else',
      () => ({ action: 'ecs:RunTask', resource: definition('other'), context: within(CLUSTER) }),
      false,
    ],
    [
      'run what is called alike',
      () => ({
        action: 'ecs:RunTask',
        resource: definition(`${family}-x`),
        context: within(CLUSTER),
      }),
      false,
    ],
    [
      'tag what it runs',
      () => ({
        action: 'ecs:TagResource',
        resource: TASK,
        context: { 'ecs:CreateAction': 'RunTask' },
      }),
      true,
    ],
    ['tag what runs', () => ({ action: 'ecs:TagResource', resource: TASK, context: {} }), false],
    [
      'stop a task',
      () => ({ action: 'ecs:StopTask', resource: TASK, context: within(CLUSTER) }),
      true,
    ],
    [
      'stop one elsewhere',
      () => ({ action: 'ecs:StopTask', resource: OTHER_TASK, context: within(OTHER_CLUSTER) }),
      false,
    ],
    [
      'look at a task',
      () => ({ action: 'ecs:DescribeTasks', resource: TASK, context: within(CLUSTER) }),
      true,
    ],
    [
      'look at one elsewhere',
      () => ({ action: 'ecs:DescribeTasks', resource: OTHER_TASK, context: within(OTHER_CLUSTER) }),
      false,
    ],
    [
      'list its tasks',
      () => ({ action: 'ecs:ListTasks', resource: '*', context: within(CLUSTER) }),
      true,
    ],
    [
      "list others'",
      () => ({ action: 'ecs:ListTasks', resource: '*', context: within(OTHER_CLUSTER) }),
      false,
    ],
    [
      'look at its cluster',
      () => ({ action: 'ecs:DescribeClusters', resource: CLUSTER, context: {} }),
      true,
    ],
    [
      'look at another',
      () => ({ action: 'ecs:DescribeClusters', resource: OTHER_CLUSTER, context: {} }),
      false,
    ],
    [
      'look at task definitions',
      () => ({ action: 'ecs:DescribeTaskDefinition', resource: '*', context: {} }),
      true,
    ],
    [
      'register one',
      () => ({ action: 'ecs:RegisterTaskDefinition', resource: '*', context: {} }),
      false,
    ],
    [
      "pass the agent's role",
      () => ({
        action: 'iam:PassRole',
        resource: role('RoomLauncherAgentTaskRole'),
        context: toTasks,
      }),
      true,
    ],
    [
      "pass the agent's execution role",
      () => ({
        action: 'iam:PassRole',
        resource: role('RoomLauncherAgentTaskExecutionRole'),
        context: toTasks,
      }),
      true,
    ],
    [
      'pass it to EC2',
      () => ({
        action: 'iam:PassRole',
        resource: role('RoomLauncherAgentTaskRole'),
        context: { 'iam:PassedToService': 'ec2.amazonaws.com' },
      }),
      false,
    ],
    [
      'pass its own',
      () => ({ action: 'iam:PassRole', resource: role('RoomLauncherTaskRole'), context: toTasks }),
      false,
    ],
    [
      'read the events',
      () => ({
        action: 'sqs:ReceiveMessage',
        resource: queue('RoomLauncherTaskEventsQueue'),
        context: {},
      }),
      true,
    ],
    [
      'delete one',
      () => ({
        action: 'sqs:DeleteMessage',
        resource: queue('RoomLauncherTaskEventsQueue'),
        context: {},
      }),
      true,
    ],
    [
      'write one',
      () => ({
        action: 'sqs:SendMessage',
        resource: queue('RoomLauncherTaskEventsQueue'),
        context: {},
      }),
      false,
    ],
    [
      'read dead ones',
      () => ({
        action: 'sqs:ReceiveMessage',
        resource: queue('RoomLauncherTaskEventsDeadLetters'),
        context: {},
      }),
      false,
    ],
    [
      'read secrets',
      () => ({ action: 'secretsmanager:GetSecretValue', resource: LIVEKIT_SECRET, context: {} }),
      false,
    ],
  ];

  it.each(rows)('%s', (_title, request, allowed) => {
    expect(allows(of(LAUNCHER), request())).toBe(allowed);
  });
});

describe('others', () => {
  const pull = [
    'ecr:BatchCheckLayerAvailability',
    'ecr:BatchGetImage',
    'ecr:GetDownloadUrlForLayer',
  ];
  const ofEcs = (name: string, image: string) => [
    { actions: pull, resources: [repository(image)], conditions: {} },
    { actions: ['ecr:GetAuthorizationToken'], resources: ['*'], conditions: {} },
    {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logsOf(name)],
      conditions: {},
    },
  ];

  it("the agent's own code may do nothing", () => {
    expect([...policies.keys()].filter((name) => /AgentTaskRole/.test(name))).toEqual([]);
  });

  it("ECS may pull the agent's image and write its logs", () => {
    const image = /\/([\w-]+):/.exec(AGENT_IMAGE)?.[1] ?? '';
    expect(of(/AgentTaskExecutionRole/)).toEqual(ofEcs('RoomLauncherAgentLogs', image));
  });

  const digest = `sha256:${'0'.repeat(64)}`;
  it.each([
    ['a tag and a digest', `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/a/b:7@${digest}`],
    ['a digest', `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/a/b@${digest}`],
    ["China's registry", `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com.cn/a/b:7`],
  ])('ECS may pull an image with %s', (_title, agentImage) => {
    const template = Template.fromStack(stackOf({ agentImage }));
    const all = resolved(template.toJSON(), { account: ACCOUNT, region: REGION });
    const [statements] = [...all].filter(([name]) => /AgentTaskExecutionRole/.test(name));
    expect(statements?.[1]).toContainEqual(ofEcs('', 'a/b')[0]);
    const images = JSON.stringify(template.findResources('AWS::ECS::TaskDefinition'));
    expect(images).toContain(agentImage.includes('@') ? `/a/b@${digest}` : '/a/b:7');
  });

  it('and, for the launcher, read its two secrets', () => {
    expect(of(/^RoomLauncherTaskExecutionRole/)).toEqual([
      ...ofEcs('RoomLauncherLauncherLogs', 'room-launcher'),
      {
        actions: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
        resources: [LIVEKIT_SECRET, expect.stringMatching(/:secret:RoomLauncherGatewaySecret/)],
        conditions: {},
      },
    ]);
  });

  it('nobody else is given a role', () => expect(policies.size).toBe(3));
});
