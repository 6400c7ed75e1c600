/** What cannot be made is said at synth, all at once: the prop, its value, and what to do. */
import {
  aws_ec2 as ec2,
  aws_ecs as ecs,
  aws_secretsmanager as secretsmanager,
  type Stack,
} from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { fargateAdvice } from '../../iac/fargate.ts';
import { FREE, settingFault } from '../../iac/settings.ts';
import { fargateAdvice as launchersAdvice } from '../../launcher/config/ecs.ts';
import { settingRows } from '../../launcher/config/reference.ts';
import { CONFIG_FILE_SETTING } from '../../launcher/config/settings.ts';
import {
  ACCOUNT,
  CERTIFICATE,
  type Changes,
  faultsOfContext,
  faultsOfProps,
  LEAST,
  LIVEKIT_SECRET,
  stackOf,
  zone,
} from '../support/iac.ts';

const ELSEWHERE = `arn:aws:ecs:eu-west-1:${ACCOUNT}:cluster/rooms`;
const DEFINITION = `arn:aws:ecs:us-east-1:${ACCOUNT}:task-definition/room-agent:7`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/room-agent`;
const OWN = `arn:aws:ecs:us-east-1:${ACCOUNT}:cluster/rooms`;

function vpc(stack: Stack): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(stack, 'Own', {
    vpcId: 'vpc-00000001',
    availabilityZones: ['a', 'b'],
    publicSubnetIds: ['subnet-00000001', 'subnet-00000002'],
  });
}

/** What is given, and how the one fault begins and ends. */
const PROPS: readonly [title: string, Changes, begins: string, remedy: string][] = [
  ['no URL', () => ({ livekitUrl: undefined }), 'livekitUrl is missing', 'give the URL'],
  ['a URL of a page', () => ({ livekitUrl: 'https://x/y' }), 'livekitUrl is "https://x/y"', 'wss'],
  [
    'no secret',
    () => ({ livekitSecret: undefined }),
    'livekitSecret is missing',
    'create a secret',
  ],
  ['no launcher', () => ({ launcherImage: undefined }), 'launcherImage is missing', 'Dockerfile'],
  ['no agent', () => ({ agentImage: undefined }), 'agentImage is missing', 'agentTaskDefinition'],
  [
    'two agents',
    () => ({ agentTaskDefinition: { arn: DEFINITION, roleArns: [ROLE] } }),
    'agentImage and agentTaskDefinition are both given',
    'keep one',
  ],
  [
    'a task definition without revision',
    () => ({ agentImage: undefined, agentTaskDefinition: { arn: 'room-agent', roleArns: [ROLE] } }),
    'agentTaskDefinition is "room-agent"',
    'give its ARN and revision',
  ],
  [
    'a task definition without roles',
    () => ({ agentImage: undefined, agentTaskDefinition: { arn: DEFINITION, roleArns: [] } }),
    'agentTaskDefinition has no roles',
    'give the ARNs',
  ],
  [
    "LiveKit's secret for the agent",
    (stack) => ({ agentSecrets: { LIVEKIT_API_SECRET: secretFor(stack) } }),
    'agentSecrets has LIVEKIT_API_SECRET',
    'remove it',
  ],
  [
    'a size that Fargate has not',
    () => ({ cpu: 1, memoryMiB: 1024 }),
    'memoryMiB is 1024, with a cpu of 1: Fargate has no such task',
    'choose cpu 1 with 2048 to 8192 MiB',
  ],
  ['half a standby', () => ({ standbys: 0.5 }), 'standbys is 0.5', 'whole number from 0 to 100'],
  [
    'Spot with EC2 capacity',
    (stack) => ({ spot: true, ...onInstances(stack) }),
    "spot is Fargate's, and capacityProviders names instances",
    'remove one',
  ],
  [
    'instances in a new cluster',
    (stack) => ({ ...onInstances(stack), clusterArn: undefined }),
    'capacityProviders names instances, which a new cluster has not',
    'clusterArn',
  ],
  [
    'instances in public subnets',
    (stack) => ({ ...onInstances(stack), taskSubnets: undefined }),
    'capacityProviders names instances, whose tasks get no public address',
    'taskSubnets',
  ],
  [
    'instances in public subnets that are named',
    (stack) => ({ ...onInstances(stack), taskSubnets: { subnetType: ec2.SubnetType.PUBLIC } }),
    'capacityProviders names instances, whose tasks get no public address',
    'taskSubnets',
  ],
  [
    'NAT in an existing network',
    (stack) => ({ vpc: vpc(stack), natGateways: 1 }),
    'natGateways is for a new network',
    'remove it',
  ],
  ['half a NAT gateway', () => ({ natGateways: 0.5 }), 'natGateways is 0.5', 'whole number'],
  [
    'subnets of no network',
    () => ({ taskSubnets: { subnets: [] } }),
    'taskSubnets are of no network',
    'give the vpc',
  ],
  ['a cluster by name', () => ({ clusterArn: 'rooms' }), 'clusterArn is "rooms"', 'give the ARN'],
  [
    'a cluster of another region',
    () => ({ clusterArn: ELSEWHERE }),
    `clusterArn is ${ELSEWHERE}, in eu-west-1`,
    'name one of us-east-1, or deploy to eu-west-1',
  ],
  [
    'no name',
    () => ({ domainName: undefined }),
    'domainName is missing',
    'certificate or hostedZone',
  ],
  [
    'a domain without certificate or zone',
    () => ({ certificate: undefined, domainName: 'rooms.example.com' }),
    'domainName is "rooms.example.com" without certificate or hostedZone',
    'give the certificate for it, or the zone',
  ],
  [
    'a domain of another zone',
    (stack) => ({ domainName: 'rooms.example.org', hostedZone: zone(stack) }),
    'domainName is "rooms.example.org", which is not in the hostedZone example.com',
    '',
  ],
  [
    'a gateway without zone',
    () => ({ gatewayDomainName: 'gw.example.com' }),
    'gatewayDomainName is "gw.example.com" without hostedZone',
    'give the zone',
  ],
  [
    'a gateway in one subnet',
    (stack) => ({
      ...onInstances(stack),
      capacityProviders: undefined,
      gatewayDomainName: 'gw.example.com',
      hostedZone: zone(stack),
      domainName: 'rooms.example.com',
    }),
    'gatewayDomainName is for a load balancer in the taskSubnets',
    'two or more',
  ],
  [
    'one name for both doors',
    (stack) => ({
      domainName: 'a.example.com',
      gatewayDomainName: 'a.example.com',
      hostedZone: zone(stack),
    }),
    'gatewayDomainName is the same as domainName',
    'of its own',
  ],
  [
    'a strange setting',
    () => ({ settings: { RETRIES: '5' } }),
    'settings has "RETRIES"',
    'LAUNCHER_RETRIES',
  ],
  [
    'a setting that is mistyped',
    () => ({ settings: { LAUNCHER_RETRY: '5' } }),
    'settings has "LAUNCHER_RETRY", which is no setting',
    'LAUNCHER_RETRIES',
  ],
  [
    'a secret among settings',
    () => ({ settings: { LAUNCHER_WEBHOOK_KEYS: 'APIold:s3cret' } }),
    'settings has LAUNCHER_WEBHOOK_KEYS, and all can read what is here',
    'webhookKeys',
  ],
  [
    "another driver's setting",
    () => ({ settings: { LAUNCHER_AGENT_ENV_FILE: '/agent.env' } }),
    'settings has LAUNCHER_AGENT_ENV_FILE, which means nothing on ECS',
    'remove it',
  ],
  [
    'a log without what alarms count',
    () => ({ settings: { LAUNCHER_LOG_LEVEL: 'error' } }),
    'settings has LAUNCHER_LOG_LEVEL=error',
    'choose debug, info or warn',
  ],
  [
    'a setting of ours',
    () => ({ settings: { LAUNCHER_STANDBY: '5' } }),
    'settings has LAUNCHER_STANDBY, which is set here',
    'use the prop',
  ],
];

function secretFor(stack: Stack): ecs.Secret {
  const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Agents', LIVEKIT_SECRET);
  return ecs.Secret.fromSecretsManager(secret);
}

/** Tasks on instances, as they can be. */
function onInstances(stack: Stack) {
  const subnet = ec2.Subnet.fromSubnetId(stack, 'Private', 'subnet-00000003');
  return {
    capacityProviders: ['instances'],
    clusterArn: OWN,
    vpc: vpc(stack),
    taskSubnets: { subnets: [subnet] },
  };
}

describe('a prop that is missing, odd, or goes with another not', () => {
  it.each(PROPS)('%s', (_title, changes, begins, remedy) => {
    const [fault = '', ...others] = faultsOfProps(changes);
    expect(others).toEqual([]);
    expect(fault.startsWith(begins), fault).toBe(true);
    expect(fault).toContain(remedy);
  });

  it('all at once', () => {
    const missing = { livekitUrl: undefined, domainName: undefined };
    expect(
      faultsOfProps(() => ({ ...missing, standbys: -1 })).map((fault) => fault.split(' ', 1)[0]),
    ).toEqual(['livekitUrl', 'standbys', 'domainName']);
  });

  it('each setting of the launcher may be given, or is refused with its own reason', () => {
    const all = [...settingRows().map(({ name }) => name), CONFIG_FILE_SETTING];
    expect(all.filter((name) => FREE.includes(name))).toEqual(FREE);
    const others = all.filter((name) => name.startsWith('LAUNCHER_') && !FREE.includes(name));
    expect(others.length).toBeGreaterThan(10);
    for (const name of others) {
      expect(settingFault(name, 'x'), name).not.toMatch(/no setting of the launcher/);
      expect(settingFault(name, 'x'), name).not.toBe(null);
    }
  });

  it('no secret of the launcher, nor the file of one, can stand in the template', () => {
    const secrets = settingRows().filter((row) => row.secret && row.name.startsWith('LAUNCHER_'));
    expect(secrets.length).toBeGreaterThan(1);
    for (const { name } of secrets) {
      for (const one of [name, `${name}_FILE`]) {
        expect(settingFault(one, 's3cret'), one).toMatch(/all can read/);
        expect(settingFault(one, 's3cret'), one).not.toContain('s3cret');
      }
    }
  });

  it('instances as they can be are no fault', () => expect(faultsOfProps(onInstances)).toEqual([]));

  it('sizes are those that the launcher takes', () => {
    for (const cpu of [0.1, 0.25, 0.5, 1, 2, 3, 4, 8, 16]) {
      for (let memoryMiB = 0; memoryMiB <= 130 * 1024; memoryMiB += 512) {
        expect(fargateAdvice(cpu, memoryMiB)).toBe(launchersAdvice(cpu, memoryMiB));
      }
    }
  });
});

type Given = Readonly<Record<string, unknown>>;

/** What is given to `cdk -c` beside the least, and parts of the one fault. */
const CONTEXT: readonly [title: string, context: Given, ...parts: string[]][] = [
  ['a mistyped key', { 'agent-image': 'x' }, 'agent-image is no key', 'did you mean agentImage?'],
  ['an unknown key', { image: 'x' }, 'image is no key of this stack', 'known are livekitUrl'],
  ['a strange stack', { stackName: 'a b' }, 'stackName is "a b"', 'letters, digits and hyphens'],
  ['no URL', { livekitUrl: '' }, 'livekitUrl is missing'],
  ['no secret', { livekitSecret: '' }, 'livekitSecret is missing', 'create a secret'],
  ['a secret by name', { livekitSecret: 'livekit' }, 'is "livekit"', 'the full ARN of a secret'],
  ['no agent', { agentImage: '' }, 'agentImage is missing'],
  ['no image', { agentImage: 'a b' }, 'agentImage is "a b"', 'an image, as in `docker pull`'],
  ['two agents', { agentDirectory: '.' }, 'agentDirectory and agentImage are both given'],
  [
    'no Dockerfile',
    { agentImage: '', agentDirectory: 'test/iac' },
    'agentDirectory is "test/iac"',
    'there is no',
    'correct the path',
  ],
  ['a flag', { spot: 'yes' }, 'spot is "yes"', 'true or false'],
  ['a number', { standbys: 'two' }, 'standbys is "two"', 'a number'],
  ['an architecture', { architecture: 'amd64' }, 'architecture is "amd64"', 'arm64 or x86_64'],
  ['a secret without name', { agentSecrets: LIVEKIT_SECRET }, 'agentSecrets has', 'NAME=the full'],
  ['half a zone', { hostedZone: 'Z1' }, 'hostedZoneName is missing', 'go together'],
  ['subnets of no network', { taskSubnets: 'subnet-00000001' }, 'taskSubnets are of no network'],
  [
    'a network without subnets',
    { vpc: 'vpc-00000001' },
    'publicSubnets are missing',
    'two or more',
  ],
  ['a cluster of another region', { clusterArn: ELSEWHERE }, `clusterArn is ${ELSEWHERE}`],
  [
    'a certificate of another region',
    { certificate: CERTIFICATE.replace('us-east-1', 'eu-west-1') },
    'certificate is arn:aws:acm:eu-west-1',
    'and the stack in us-east-1',
  ],
  [
    'a topic of another region',
    { alarmTopic: `arn:aws:sns:eu-west-1:${ACCOUNT}:alarms` },
    'alarmTopic is arn:aws:sns:eu-west-1',
    'and the stack in us-east-1',
  ],
  [
    "an agent's secret of another region",
    { agentSecrets: `A=${LIVEKIT_SECRET.replace('us-east-1', 'eu-west-1')}:key::` },
    'agentSecrets is arn:aws:secretsmanager:eu-west-1',
    'and the stack in us-east-1',
  ],
  [
    'a domain alone',
    { certificate: '', domainName: 'a.example.com' },
    'domainName is "a.example.com" without certificate or hostedZone',
  ],
  [
    'Spot with EC2 capacity',
    {
      spot: true,
      capacityProviders: 'instances',
      clusterArn: OWN,
      vpc: 'vpc-00000001',
      publicSubnets: 'subnet-00000001,subnet-00000002',
      taskSubnets: 'subnet-00000003',
    },
    "spot is Fargate's",
    'remove one of the two',
  ],
];

describe('a context that is missing something or odd', () => {
  it.each(CONTEXT)('%s', (_title, context, ...parts) => {
    const [fault = '', ...others] = faultsOfContext(context);
    expect(others).toEqual([]);
    for (const part of parts) expect(fault).toContain(part);
  });

  it("the CDK's own keys, and other apps' in its form, are none of ours", () => {
    const theirs = { 'acknowledged-issue-numbers': [34892], 'cli-telemetry': false, 'a:b': 'c' };
    expect(faultsOfContext({ ...theirs, '@aws-cdk/core:x': true })).toEqual([]);
  });

  it('what it has and what it lacks, at once', () => {
    const bare = Object.fromEntries(Object.keys(LEAST).map((key) => [key, '']));
    const faults = faultsOfContext({ ...bare, launcherImage: 'x:1', cpu: 'one', spott: 'true' });
    expect(faults.map((fault) => fault.split(' ', 1)[0])).toEqual([
      'spott',
      'cpu',
      'livekitUrl',
      'livekitSecret',
      'agentImage',
      'domainName',
    ]);
  });
});

describe('a tag that moves is warned about', () => {
  it.each([
    ['agentImage', 'example.com/agent:latest'],
    ['agentImage', 'example.com:5000/agent'],
    ['launcherImage', `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/room-launcher`],
  ])('%s %s', (key, image) => {
    const warned = Annotations.fromStack(stackOf({ [key]: image }));
    warned.hasWarning('*', Match.stringLikeRegexp(`^${key} is .*(latest|agent)`));
  });

  it.each(['agent:7', `example.com/a/agent@sha256:${'0'.repeat(64)}`, 'example.com:5000/agent:v1'])(
    '%s is none',
    (agentImage) => {
      const annotations = Annotations.fromStack(stackOf({ agentImage }));
      expect(annotations.findWarning('*', Match.anyValue())).toEqual([]);
    },
  );
});
