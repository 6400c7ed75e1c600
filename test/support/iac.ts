/** Stacks to look at: `RoomLauncher` with props, or the whole stack with a context, synthesized. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Annotations,
  App,
  aws_certificatemanager as acm,
  aws_ecs as ecs,
  aws_route53 as route53,
  aws_secretsmanager as secretsmanager,
  cx_api as cxapi,
  Stack,
} from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll } from 'vitest';
import { InputError } from '../../iac/checks.ts';
import { RoomLauncher, type RoomLauncherProps } from '../../iac/room-launcher.ts';
import { RoomLauncherStack } from '../../iac/stack.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const ACCOUNT = '111122223333';
export const REGION = 'us-east-1';
export const LIVEKIT_SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:livekit-AbCdEf`;
export const CERTIFICATE = `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/0a1b2c3d`;
export const AGENT_IMAGE = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/room-agent:7`;
/** What is synthesized goes there, and is gone at the end. */
export const OUT = mkdtempSync(join(tmpdir(), 'room-launcher-iac-'));
afterAll(() => rmSync(OUT, { recursive: true, force: true }));
const LAUNCHER_IMAGE = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/room-launcher:3`;

/** As little as can be said, to `cdk -c`. */
export const LEAST = {
  livekitUrl: 'wss://my-project.livekit.cloud',
  livekitSecret: LIVEKIT_SECRET,
  agentImage: AGENT_IMAGE,
  launcherImage: LAUNCHER_IMAGE,
  certificate: CERTIFICATE,
  domainName: 'rooms.example.com',
};

const ALARM_TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:alarms`;
const IN_OWN_NETWORK = {
  vpc: 'vpc-00000001',
  publicSubnets: 'subnet-00000001,subnet-00000002',
  taskSubnets: 'subnet-00000003',
};

/** Kinds of stack, each by what is said beside the least. */
export const KINDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'the least': {},
  'names of its own, wss, private tasks, alarms told': {
    certificate: '',
    gatewayDomainName: 'gateway.example.com',
    hostedZone: 'Z0123456789ABCDEFGHIJ',
    hostedZoneName: 'example.com',
    natGateways: '1',
    agentSecrets: `OPENAI_API_KEY=${LIVEKIT_SECRET}:key::`,
    alarmTopic: ALARM_TOPIC,
    spot: 'true',
    standbys: '2',
  },
  'in what there is already': {
    ...IN_OWN_NETWORK,
    agentImage: '',
    agentTaskDefinition: `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/agent:7`,
    agentRoles: `arn:aws:iam::${ACCOUNT}:role/agent`,
    clusterArn: `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/rooms`,
    ecsExec: 'true',
  },
  'on instances': {
    ...IN_OWN_NETWORK,
    clusterArn: `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/rooms`,
    capacityProviders: 'instances',
  },
};

export function newApp(context: Readonly<Record<string, unknown>> = {}): App {
  return new App({ outdir: OUT, context: { ...cxapi.CURRENTLY_RECOMMENDED_FLAGS, ...context } });
}

export function newStack(): Stack {
  const stack = new Stack(newApp(), 'Test');
  const unknownRoutes = '@aws-cdk/aws-ec2:noSubnetRouteTableId';
  Annotations.of(stack).acknowledgeWarning(unknownRoutes);
  return stack;
}

/** As little as can be said, as props. */
export function leastProps(stack: Stack): RoomLauncherProps {
  const { livekitUrl, domainName } = LEAST;
  const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, 'LiveKit', LIVEKIT_SECRET);
  return {
    livekitUrl,
    domainName,
    livekitSecret: secret,
    agentImage: ecs.ContainerImage.fromRegistry('example.com/room-agent:7'),
    launcherImage: ecs.ContainerImage.fromRegistry('example.com/room-launcher:3'),
    certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', CERTIFICATE),
  };
}

export type Changes = (stack: Stack) => Partial<Record<keyof RoomLauncherProps, unknown>>;

/** The construct with these props beside the least; one that is undefined is taken away. */
export function synthesize(changes: Changes = () => ({})): Template {
  const stack = newStack();
  const all = { ...leastProps(stack), ...changes(stack) };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  new RoomLauncher(stack, 'Rooms', Object.fromEntries(given) as unknown as RoomLauncherProps);
  return Template.fromStack(stack);
}

/** The faults of the construct with these props; none if it can be made. */
export function faultsOfProps(changes: Changes): string[] {
  return faultsOf(() => synthesize(changes));
}

/** The whole stack with this context beside the least. */
export function stackOf(context: Readonly<Record<string, unknown>> = {}): RoomLauncherStack {
  const props = { root: ROOT, expectedRegion: REGION };
  return new RoomLauncherStack(newApp({ ...LEAST, ...context }), 'RoomLauncher', props);
}

/** The faults of the whole stack; null in the context takes a key of the least away. */
export function faultsOfContext(context: Readonly<Record<string, unknown>>): string[] {
  return faultsOf(() => stackOf(context));
}

export function zone(stack: Stack): route53.IHostedZone {
  const where = { hostedZoneId: 'Z0123', zoneName: 'example.com' };
  return route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', where);
}

function faultsOf(make: () => unknown): string[] {
  try {
    make();
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message.split('\n');
  }
}
