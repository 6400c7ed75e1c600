/** Each documented prop, and each key of the context, changes what it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  aws_ec2 as ec2,
  aws_ecs as ecs,
  aws_logs as logs,
  aws_secretsmanager as secretsmanager,
  aws_sns as sns,
  NestedStack,
  type Stack,
} from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { choicesOf } from '../../iac/choices.ts';
import { Context, type Key } from '../../iac/context.ts';
import { RoomLauncher, type RoomLauncherProps } from '../../iac/room-launcher.ts';
import {
  ACCOUNT,
  AGENT_IMAGE,
  CERTIFICATE,
  type Changes,
  LEAST,
  leastProps,
  LIVEKIT_SECRET,
  newStack,
  REGION,
  ROOT,
  synthesize,
  zone,
} from '../support/iac.ts';

const CLUSTER = `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/rooms`;
const DEFINITION = `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/own-agent:7`;
const ROLES = ['own', 'own-execution'].map((name) => `arn:aws:iam::${ACCOUNT}:role/${name}`);
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:alarms`;

function vpc(stack: Stack): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(stack, 'Own', {
    vpcId: 'vpc-00000001',
    availabilityZones: ['a', 'b'],
    publicSubnetIds: ['subnet-00000001', 'subnet-00000002'],
  });
}

function privateSubnet(stack: Stack): ec2.SubnetSelection {
  return { subnets: [ec2.Subnet.fromSubnetId(stack, 'Private', 'subnet-00000003')] };
}

function onInstances(stack: Stack) {
  const place = { vpc: vpc(stack), taskSubnets: privateSubnet(stack), clusterArn: CLUSTER };
  return { capacityProviders: ['instances'], ...place };
}

function secret(stack: Stack, name: string): secretsmanager.ISecret {
  const arn = LIVEKIT_SECRET.replace('livekit', name);
  return secretsmanager.Secret.fromSecretCompleteArn(stack, name, arn);
}

/** What the launcher is told by this variable. */
function told(template: Template, name: string, value: unknown): void {
  const variable = Match.objectLike({ Name: name, Value: value });
  inContainer(template, 'launcher', { Environment: Match.arrayWith([variable]) });
}

function inContainer(template: Template, Name: string, properties: object): void {
  template.hasResourceProperties('AWS::ECS::TaskDefinition', {
    ContainerDefinitions: [Match.objectLike({ Name, ...properties })],
  });
}

function serviceIn(template: Template, network: object): void {
  const NetworkConfiguration = { AwsvpcConfiguration: network };
  template.hasResourceProperties('AWS::ECS::Service', { NetworkConfiguration });
}

function groupLike(name: string) {
  return { 'Fn::GetAtt': [Match.stringLikeRegexp(name), 'GroupId'] };
}

type Row = readonly [changes: Changes, check: (template: Template) => void];

const image = (name: string) => ecs.ContainerImage.fromRegistry(name);

/** By prop, so that the compiler misses one that is added. */
const PROPS: Readonly<Record<keyof RoomLauncherProps, Row>> = {
  livekitUrl: [
    () => ({ livekitUrl: 'ws://10.0.0.9:7880' }),
    (template) => told(template, 'LIVEKIT_URL', 'ws://10.0.0.9:7880'),
  ],
  livekitSecret: [
    (stack) => ({ livekitSecret: secret(stack, 'other') }),
    (template) =>
      inContainer(template, 'launcher', {
        Secrets: Match.arrayWith([
          Match.objectLike({ ValueFrom: Match.stringLikeRegexp('other-AbCdEf:LIVEKIT_API_KEY') }),
        ]),
      }),
  ],
  webhookKeys: [
    () => ({ webhookKeys: true }),
    (template) =>
      inContainer(template, 'launcher', {
        Secrets: Match.arrayWith([
          {
            Name: 'LAUNCHER_WEBHOOK_KEYS',
            ValueFrom: `${LIVEKIT_SECRET}:LAUNCHER_WEBHOOK_KEYS::`,
          },
        ]),
      }),
  ],
  launcherImage: [
    () => ({ launcherImage: image('example.com/l:9') }),
    (template) => inContainer(template, 'launcher', { Image: 'example.com/l:9' }),
  ],
  agentImage: [
    () => ({ agentImage: image('example.com/a:9') }),
    (template) => inContainer(template, 'agent', { Image: 'example.com/a:9' }),
  ],
  agentTaskDefinition: [
    () => ({ agentImage: undefined, agentTaskDefinition: { arn: DEFINITION, roleArns: ROLES } }),
    (template) => {
      told(template, 'LAUNCHER_ECS_TASK_DEFINITION', DEFINITION);
      template.resourceCountIs('AWS::ECS::TaskDefinition', 1);
      const statements = JSON.stringify(template.findResources('AWS::IAM::Policy'));
      expect(statements).toContain(':task-definition/own-agent:*');
      for (const role of ROLES) expect(statements).toContain(role);
    },
  ],
  agentSecrets: [
    (stack) => ({
      agentSecrets: { OPENAI_API_KEY: ecs.Secret.fromSecretsManager(secret(stack, 'openai')) },
    }),
    (template) =>
      inContainer(template, 'agent', {
        Secrets: [{ Name: 'OPENAI_API_KEY', ValueFrom: Match.stringLikeRegexp('secret:openai') }],
      }),
  ],
  agentRunner: [
    () => ({ agentRunner: true }),
    (template) => told(template, 'LAUNCHER_ECS_RUNNER', 'true'),
  ],
  agentReadOnly: [
    () => ({ agentReadOnly: false }),
    (template) =>
      inContainer(template, 'agent', {
        ReadonlyRootFilesystem: false,
        LinuxParameters: Match.objectLike({ Tmpfs: Match.absent() }),
      }),
  ],
  cpu: [
    () => ({ cpu: 0.5 }),
    (template) => {
      told(template, 'LAUNCHER_CPU', '0.5');
      template.hasResourceProperties('AWS::ECS::TaskDefinition', { Cpu: '512', Memory: '2048' });
    },
  ],
  memoryMiB: [
    () => ({ memoryMiB: 4096 }),
    (template) => {
      told(template, 'LAUNCHER_MEMORY_MIB', '4096');
      template.hasResourceProperties('AWS::ECS::TaskDefinition', { Cpu: '1024', Memory: '4096' });
    },
  ],
  architecture: [
    () => ({ architecture: 'x86_64' }),
    (template) =>
      template.allResourcesProperties('AWS::ECS::TaskDefinition', {
        RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' },
      }),
  ],
  standbys: [() => ({ standbys: 2 }), (template) => told(template, 'LAUNCHER_STANDBY', '2')],
  spot: [
    () => ({ spot: true }),
    (template) => {
      told(template, 'LAUNCHER_ECS_CAPACITY_PROVIDERS', 'FARGATE_SPOT,FARGATE');
      const CapacityProviders = ['FARGATE', 'FARGATE_SPOT'];
      template.hasResourceProperties('AWS::ECS::Cluster', { CapacityProviders });
    },
  ],
  capacityProviders: [
    onInstances,
    (template) => {
      told(template, 'LAUNCHER_ECS_CAPACITY_PROVIDERS', 'instances');
      told(template, 'LAUNCHER_ECS_ASSIGN_PUBLIC_IP', 'false');
      const RequiresCompatibilities = ['EC2', 'FARGATE'];
      template.hasResourceProperties('AWS::ECS::TaskDefinition', { RequiresCompatibilities });
    },
  ],
  vpc: [
    (stack) => ({ vpc: vpc(stack) }),
    (template) => {
      template.resourceCountIs('AWS::EC2::VPC', 0);
      told(template, 'LAUNCHER_ECS_SUBNETS', 'subnet-00000001,subnet-00000002');
      const properties = { VpcId: 'vpc-00000001' };
      template.allResourcesProperties('AWS::EC2::SecurityGroup', properties);
    },
  ],
  natGateways: [
    () => ({ natGateways: 1 }),
    (template) => {
      template.resourceCountIs('AWS::EC2::NatGateway', 1);
      told(template, 'LAUNCHER_ECS_ASSIGN_PUBLIC_IP', 'false');
      serviceIn(template, { AssignPublicIp: 'DISABLED' });
      const ofPrivate = [{ Ref: Match.stringLikeRegexp('private') }];
      serviceIn(template, { Subnets: Match.arrayWith(ofPrivate) });
    },
  ],
  taskSubnets: [
    (stack) => ({ vpc: vpc(stack), taskSubnets: privateSubnet(stack) }),
    (template) => {
      told(template, 'LAUNCHER_ECS_SUBNETS', 'subnet-00000003');
      told(template, 'LAUNCHER_ECS_ASSIGN_PUBLIC_IP', 'false');
      serviceIn(template, { AssignPublicIp: 'DISABLED', Subnets: ['subnet-00000003'] });
      const Subnets = ['subnet-00000001', 'subnet-00000002'];
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Subnets });
    },
  ],
  clusterArn: [
    () => ({ clusterArn: CLUSTER }),
    (template) => {
      template.resourceCountIs('AWS::ECS::Cluster', 0);
      told(template, 'LAUNCHER_ECS_CLUSTER', CLUSTER);
      template.hasResourceProperties('AWS::ECS::Service', { Cluster: 'rooms' });
      const EventPattern = Match.objectLike({
        detail: Match.objectLike({ clusterArn: [CLUSTER] }),
      });
      template.hasResourceProperties('AWS::Events::Rule', { EventPattern });
    },
  ],
  certificate: [
    () => ({}),
    (template) =>
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
        Certificates: [{ CertificateArn: CERTIFICATE }],
      }),
  ],
  domainName: [
    (stack) => ({ domainName: 'rooms.example.com', hostedZone: zone(stack) }),
    (template) =>
      template.hasResourceProperties('AWS::Route53::RecordSet', { Name: 'rooms.example.com.' }),
  ],
  hostedZone: [
    (stack) => ({
      certificate: undefined,
      domainName: 'rooms.example.com',
      hostedZone: zone(stack),
    }),
    (template) =>
      template.hasResourceProperties('AWS::CertificateManager::Certificate', {
        DomainName: 'rooms.example.com',
        DomainValidationOptions: [{ DomainName: 'rooms.example.com', HostedZoneId: 'Z0123' }],
      }),
  ],
  gatewayDomainName: [
    (stack) => ({ gatewayDomainName: 'gateway.example.com', hostedZone: zone(stack) }),
    (template) => {
      told(template, 'LAUNCHER_GATEWAY_URL', 'wss://gateway.example.com');
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
        Scheme: 'internal',
        SecurityGroups: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('GatewayGroup'), 'GroupId'] }],
      });
      for (const [GroupDescription, FromPort, name] of [
        ['Load balancer of the gateway', 443, 'AgentsGroup'],
        ['Launcher', 8083, 'GatewayGroup'],
      ] as const) {
        const opening = Match.objectLike({ FromPort, SourceSecurityGroupId: groupLike(name) });
        const SecurityGroupIngress = Match.arrayWith([opening]);
        const properties = { GroupDescription, SecurityGroupIngress };
        template.hasResourceProperties('AWS::EC2::SecurityGroup', properties);
      }
      template.resourceCountIs('AWS::ServiceDiscovery::PrivateDnsNamespace', 0);
    },
  ],
  settings: [
    () => ({ settings: { LAUNCHER_RETRIES: '5' } }),
    (template) => told(template, 'LAUNCHER_RETRIES', '5'),
  ],
  alarmTopic: [
    (stack) => ({ alarmTopic: sns.Topic.fromTopicArn(stack, 'Topic', TOPIC) }),
    (template) =>
      template.allResourcesProperties('AWS::CloudWatch::Alarm', {
        AlarmActions: [TOPIC],
        OKActions: [TOPIC],
      }),
  ],
  logRetention: [
    () => ({ logRetention: logs.RetentionDays.ONE_WEEK }),
    (template) => template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 }),
  ],
  ecsExec: [
    () => ({ ecsExec: true }),
    (template) => {
      template.hasResourceProperties('AWS::ECS::Service', { EnableExecuteCommand: true });
      inContainer(template, 'launcher', {
        ReadonlyRootFilesystem: false,
        LinuxParameters: { InitProcessEnabled: true, Capabilities: {} },
      });
    },
  ],
};

describe('prop', () => {
  it.each(Object.entries(PROPS))('%s', (_name, [changes, check]) => check(synthesize(changes)));

  it('in a nested stack tasks dial a name that is known before it is made', () => {
    const nested = new NestedStack(newStack(), 'Nested');
    const { agent } = new RoomLauncher(nested, 'Rooms', leastProps(nested));
    expect(agent.family).toMatch(/^Test-Nested/);
    const Name = 'test-nested-e193e34e.internal';
    const template = Template.fromStack(nested);
    template.hasResourceProperties('AWS::ServiceDiscovery::PrivateDnsNamespace', { Name });
    told(template, 'LAUNCHER_GATEWAY_URL', `ws://launcher.${Name}:8083`);
  });

  it('taskSubnets that are public have a way out, too', () => {
    const template = synthesize((stack) => ({
      vpc: vpc(stack),
      taskSubnets: { subnets: [ec2.Subnet.fromSubnetId(stack, 'Again', 'subnet-00000002')] },
    }));
    told(template, 'LAUNCHER_ECS_ASSIGN_PUBLIC_IP', 'true');
    serviceIn(template, { AssignPublicIp: 'ENABLED', Subnets: ['subnet-00000002'] });
  });
});

/** A value of each key that is right. */
const CONTEXT: Readonly<Record<Key, string>> = {
  ...LEAST,
  agentImage: AGENT_IMAGE,
  agentDirectory: 'agent-image/examples/javascript',
  agentTaskDefinition: DEFINITION,
  agentRoles: ROLES.join(),
  agentSecrets: `A=${LIVEKIT_SECRET}, B=${LIVEKIT_SECRET}:key::`,
  agentRunner: 'true',
  agentReadOnly: 'false',
  cpu: '0.5',
  memoryMiB: '2048',
  architecture: 'x86_64',
  standbys: '2',
  spot: 'true',
  capacityProviders: 'instances',
  vpc: 'vpc-00000001',
  publicSubnets: 'subnet-00000001,subnet-00000002',
  taskSubnets: 'subnet-00000003',
  natGateways: '1',
  clusterArn: CLUSTER,
  hostedZone: 'Z0123',
  hostedZoneName: 'example.com',
  gatewayDomainName: 'gateway.example.com',
  alarmTopic: TOPIC,
  ecsExec: 'true',
  logRetention: '7',
  settings: 'LAUNCHER_RETRIES=5,LAUNCHER_DEPLOYMENT=blue',
  stackName: 'Blue',
  webhookKeys: 'true',
};

describe('context', () => {
  it('is documented, key by key', () => {
    const text = readFileSync(join(ROOT, 'docs/aws.md'), 'utf8');
    const [, table = ''] = /### What can be said\n([\s\S]*?)\n### /.exec(text) ?? [];
    const rows = table.split('\n').map((line) => /^\|([^|]*)\|/.exec(line)?.[1] ?? '');
    const keys = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)]);
    expect(keys.map(([, key = '']) => key).toSorted()).toEqual(Object.keys(CONTEXT).toSorted());
  });

  it('reaches every prop', () => {
    const stack = newStack();
    const context = new Context({ ...CONTEXT, agentDirectory: '' });
    const choices = choicesOf(stack, context, ROOT);
    expect(context.faults).toEqual([]);
    expect(Object.keys(choices).toSorted()).toEqual(Object.keys(PROPS).toSorted());
    expect(choices).toMatchObject({
      agentRunner: true,
      agentReadOnly: false,
      agentTaskDefinition: { arn: DEFINITION, roleArns: ROLES },
      agentSecrets: { A: expect.anything(), B: { hasField: true } },
      architecture: 'x86_64',
      cpu: 0.5,
      standbys: 2,
      capacityProviders: ['instances'],
      settings: { LAUNCHER_RETRIES: '5', LAUNCHER_DEPLOYMENT: 'blue' },
      logRetention: 7,
    });
  });

  it('a folder with a Dockerfile is an image, too', () => {
    const { agentDirectory } = CONTEXT;
    const { agentImage } = choicesOf(newStack(), new Context({ agentDirectory }), ROOT);
    expect(agentImage).toBeInstanceOf(ecs.AssetImage);
  });
});
