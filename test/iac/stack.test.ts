/** What matters about the stack: who can reach what, what holds which secret, what is watched. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { faultsOfContext, LIVEKIT_SECRET, ROOT, stackOf } from '../support/iac.ts';

let template: Template;
beforeAll(() => {
  template = Template.fromStack(stackOf());
});

/** The logical id of the one resource of this type whose properties are like these. */
function idOf(type: string, properties: unknown = {}): string {
  const found = Object.keys(template.findResources(type, { Properties: properties }));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
}

function resources(): (readonly [id: string, Resource])[] {
  const all = Object.entries<Resource>(template.toJSON()['Resources']);
  expect(all.length).toBeGreaterThan(40);
  return all;
}

function group(description: RegExp): unknown {
  const like = { GroupDescription: Match.stringLikeRegexp(description.source) };
  return { 'Fn::GetAtt': [idOf('AWS::EC2::SecurityGroup', like), 'GroupId'] };
}

function arn(id: string) {
  return { 'Fn::GetAtt': [id, 'Arn'] };
}

interface Container {
  readonly Name: string;
  readonly Environment?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: unknown }[];
}

/** The only container of the task definition that has one of this name. */
function container(name: string): Container & Readonly<Record<string, unknown>> {
  const like = { Properties: { ContainerDefinitions: [Match.objectLike({ Name: name })] } };
  const [definition, ...others] = Object.values(
    template.findResources('AWS::ECS::TaskDefinition', like),
  );
  expect(others).toEqual([]);
  expect(definition?.['Properties'].ContainerDefinitions).toHaveLength(1);
  return definition?.['Properties'].ContainerDefinitions[0];
}

describe('network', () => {
  it('has public subnets in two zones, and no NAT gateway', () => {
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourcePropertiesCountIs('AWS::EC2::Subnet', { MapPublicIpOnLaunch: true }, 2);
    template.resourceCountIs('AWS::EC2::Subnet', 2);
  });

  it('lets in LiveKit to the load balancer, it and the agents to the launcher, and nobody else', () => {
    const openings = Object.values(template.findResources('AWS::EC2::SecurityGroup')).map(
      ({ Properties: { GroupDescription, SecurityGroupIngress } }) => [
        GroupDescription,
        SecurityGroupIngress.map(
          ({ FromPort, ToPort, CidrIp, SourceSecurityGroupId }: Record<string, unknown>) => {
            expect(ToPort).toBe(FromPort);
            return [FromPort, CidrIp ?? SourceSecurityGroupId];
          },
        ),
      ],
    );
    expect(Object.fromEntries(openings)).toEqual({
      'Agents tasks: they dial out, nothing dials them': [],
      'Load balancer of webhooks': [[443, '0.0.0.0/0']],
      Launcher: [
        [8080, group(/^Load balancer/)],
        [8083, group(/^Agents/)],
      ],
    });
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  });

  it('is found by tasks under a name of its own', () => {
    template.hasResourceProperties('AWS::ServiceDiscovery::PrivateDnsNamespace', {
      Name: 'roomlauncher.internal',
    });
    template.hasResourceProperties('AWS::ServiceDiscovery::Service', {
      Name: 'launcher',
      DnsConfig: { DnsRecords: [{ Type: 'A', TTL: 10 }] },
    });
  });
});

describe('load balancer', () => {
  it('answers HTTPS alone, POST on one path, and 404 for all else', () => {
    template.resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 1);
    template.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      Protocol: 'HTTPS',
      DefaultActions: [
        { Type: 'fixed-response', FixedResponseConfig: Match.objectLike({ StatusCode: '404' }) },
      ],
    });
    template.resourceCountIs('AWS::ElasticLoadBalancingV2::ListenerRule', 1);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::ListenerRule', {
      Conditions: [
        { Field: 'path-pattern', PathPatternConfig: { Values: ['/webhook'] } },
        { Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['POST'] } },
      ],
    });
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      Port: 8080,
      HealthCheckPath: '/healthz',
      TargetType: 'ip',
    });
  });
});

describe('launcher', () => {
  it('is one task, which the next one overlaps, and a bad one is rolled back', () => {
    template.resourceCountIs('AWS::ECS::Service', 1);
    template.hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 1,
      EnableExecuteCommand: false,
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      NetworkConfiguration: {
        AwsvpcConfiguration: { AssignPublicIp: 'ENABLED', SecurityGroups: [group(/^Launcher$/)] },
      },
    });
  });

  it('has no file system to write, no capability, and /healthz as its only check', () => {
    expect(container('launcher')).toMatchObject({
      ReadonlyRootFilesystem: true,
      LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
      HealthCheck: { Command: ['CMD', 'node', '-e', expect.stringContaining(':8080/healthz')] },
      PortMappings: [{ ContainerPort: 8080 }, { ContainerPort: 8083 }],
    });
  });

  it('is told where tasks go, and what they dial', () => {
    const { Environment = [] } = container('launcher');
    const cluster = idOf('AWS::ECS::Cluster');
    expect(Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value]))).toEqual({
      AWS_REGION: { Ref: 'AWS::Region' },
      LIVEKIT_URL: 'wss://my-project.livekit.cloud',
      LAUNCHER_DRIVER: 'ecs',
      LAUNCHER_GATEWAY_URL: 'ws://launcher.roomlauncher.internal:8083',
      LAUNCHER_ECS_CLUSTER: { 'Fn::GetAtt': [cluster, 'Arn'] },
      LAUNCHER_ECS_TASK_DEFINITION: { Ref: expect.stringContaining('Agent') },
      LAUNCHER_ECS_RUNNER: 'false',
      LAUNCHER_ECS_SUBNETS: { 'Fn::Join': ['', [expect.anything(), ',', expect.anything()]] },
      LAUNCHER_ECS_SECURITY_GROUPS: group(/^Agents/),
      LAUNCHER_ECS_ASSIGN_PUBLIC_IP: 'true',
      LAUNCHER_ECS_EVENTS_QUEUE_URL: {
        Ref: idOf('AWS::SQS::Queue', { MessageRetentionPeriod: 300 }),
      },
      LAUNCHER_CPU: '1',
      LAUNCHER_MEMORY_MIB: '2048',
      LAUNCHER_STANDBY: '0',
    });
  });
});

describe('secrets', () => {
  it("LiveKit's and the gateway's are the launcher's, as secrets", () => {
    const { Secrets = [] } = container('launcher');
    expect(Object.fromEntries(Secrets.map(({ Name, ValueFrom }) => [Name, ValueFrom]))).toEqual({
      LIVEKIT_API_KEY: `${LIVEKIT_SECRET}:LIVEKIT_API_KEY::`,
      LIVEKIT_API_SECRET: `${LIVEKIT_SECRET}:LIVEKIT_API_SECRET::`,
      LAUNCHER_GATEWAY_SECRET: { Ref: idOf('AWS::SecretsManager::Secret') },
    });
  });

  it('the gateway has one that it takes', () => {
    template.hasResourceProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 48 },
    });
  });

  it('the agent has none of them, in whatever form', () => {
    const agent = container('agent');
    expect(agent.Secrets).toBeUndefined();
    expect(agent.Environment).toBeUndefined();
    expect(JSON.stringify(agent)).not.toMatch(/LIVEKIT|secretsmanager|GatewaySecret/);
    expect(agent).toMatchObject({
      ReadonlyRootFilesystem: true,
      StopTimeout: 60,
      LinuxParameters: {
        Capabilities: { Drop: ['ALL'] },
        InitProcessEnabled: true,
        Tmpfs: [{ ContainerPath: '/tmp', Size: 64 }],
      },
    });
  });
});

describe('task events', () => {
  it('of this cluster go to the queue, and what cannot go there to the second one', () => {
    const queue = idOf('AWS::SQS::Queue', { MessageRetentionPeriod: 300 });
    const dead = idOf('AWS::SQS::Queue', { MessageRetentionPeriod: 14 * 86_400 });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.ecs'],
        'detail-type': ['ECS Task State Change'],
        detail: {
          clusterArn: [arn(idOf('AWS::ECS::Cluster'))],
          lastStatus: ['RUNNING', 'STOPPED'],
        },
      },
      Targets: [{ Arn: arn(queue), DeadLetterConfig: { Arn: arn(dead) } }],
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      RedrivePolicy: { deadLetterTargetArn: arn(dead), maxReceiveCount: 5 },
    });
  });
});

describe('operation', () => {
  it('keeps logs for a month, in two groups that go with the stack', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', 2);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' });
  });

  it('leaves nothing behind', () => {
    for (const [id, { DeletionPolicy = 'Delete' }] of resources()) {
      expect(DeletionPolicy, id).toBe('Delete');
    }
  });

  it.each([
    ['FailedRuns', '{ $.event = "run.fail" }'],
    ['Refusals', '{ ($.event = "task.launch") && ($.outcome = "refused") }'],
  ])("counts %s by the launcher's log", (MetricName, FilterPattern) => {
    template.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern,
      LogGroupName: { Ref: Match.stringLikeRegexp('LauncherLogs') },
      MetricTransformations: [Match.objectLike({ MetricName, MetricValue: '1' })],
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName });
  });

  it.each([
    ['launchers', { MetricName: 'HealthyHostCount', TreatMissingData: 'breaching' }],
    ['the age of events', { MetricName: 'ApproximateAgeOfOldestMessage', Threshold: 60 }],
    ['dead letters', { MetricName: 'ApproximateNumberOfMessagesVisible', Threshold: 1 }],
    ["the load balancer's 5xx", { MetricName: 'HTTPCode_ELB_5XX_Count', Threshold: 5 }],
    ["the launcher's 5xx", { MetricName: 'HTTPCode_Target_5XX_Count', Threshold: 5 }],
  ])('watches %s', (_title, properties) => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', properties);
  });

  it('has a page with all of it', () => template.resourceCountIs('AWS::CloudWatch::Dashboard', 1));
});

it('has the resources that docs/aws.md lists', () => {
  const text = readFileSync(join(ROOT, 'docs/aws.md'), 'utf8');
  const listed = [...text.matchAll(/^\| `(AWS::[\w:]+)`\s*\| (\d+)\s*\|/gm)];
  const counts: Record<string, number> = {};
  for (const [, { Type }] of resources()) counts[Type] = (counts[Type] ?? 0) + 1;
  expect(Object.fromEntries(listed.map(([, type, number]) => [type, Number(number)]))).toEqual(
    counts,
  );
});

it('the least that can be said is enough', () => expect(faultsOfContext({})).toEqual([]));
