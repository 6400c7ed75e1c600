/**
 * What is missing among the props, odd, or goes with another one not. All of it at once, and each
 * with its remedy: what CloudFormation would say comes a quarter of an hour later, about a resource.
 */
import { Token } from 'aws-cdk-lib';
import { DEFAULT_CPU, DEFAULT_MEMORY_MIB } from './agent.ts';
import { fargateAdvice } from './fargate.ts';
import { arePublic } from './network.ts';
import type { RoomLauncherProps } from './props.ts';
import { settingFault } from './settings.ts';

/** A prop, and what is wrong with it: with which value, and what to do. */
export interface Fault {
  readonly prop: string;
  readonly why: string;
}

/** What was asked for cannot be made; a line for each fault. */
export class InputError extends Error {
  override name = 'InputError';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ prop, why }) => `${prop} ${why}`).join('\n'));
    this.faults = faults;
  }
}

/** What the launcher sets for each task. */
const CREDENTIALS = ['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'];
const CLUSTER = /^arn:[\w-]+:ecs:[\w-]+:\d{12}:cluster\/[\w-]+$/;
const DEFINITION = /^arn:[\w-]+:ecs:[\w-]+:\d{12}:task-definition\/[\w-]+:[1-9]\d*$/;
const ROLE = /^arn:[\w-]+:iam::\d{12}:role\/\S+$/;
const STANDBYS_MAX = 100;
/** A load balancer wants subnets of so many zones. */
export const BALANCER_SUBNETS_MIN = 2;

type Props = Partial<RoomLauncherProps>;
type Check = string | false | undefined;

/** `region`: where all of it is deployed to, if that is known. */
export function faultsOf(props: Props, region?: string): readonly Fault[] {
  const found: Fault[] = [];
  const fault = (prop: string, ...checks: readonly Check[]) => {
    for (const why of checks) if (typeof why === 'string') found.push({ prop, why });
  };
  checkLiveKit(props, fault);
  checkAgent(props, fault);
  checkCapacity(props, fault);
  checkPlace(props, fault);
  checkNames(props, fault);
  checkSettings(props, fault);
  checkRegions(props, region, fault);
  return found;
}

type Report = (prop: string, ...checks: readonly Check[]) => void;

function checkLiveKit({ livekitUrl, livekitSecret, launcherImage }: Props, fault: Report): void {
  const example = 'wss://my-project.livekit.cloud';
  fault(
    'livekitUrl',
    livekitUrl === undefined && `is missing: give the URL of the LiveKit server, as ${example}`,
    livekitUrl !== undefined &&
      !isServerUrl(livekitUrl) &&
      `is "${livekitUrl}": it must be ws(s):// or http(s):// and a host, as ${example}`,
  );
  const keys = 'the JSON keys LIVEKIT_API_KEY and LIVEKIT_API_SECRET';
  fault(
    'livekitSecret',
    !livekitSecret && `is missing: create a secret in Secrets Manager with ${keys}, and name it`,
  );
  fault('launcherImage', !launcherImage && 'is missing: give the image of launcher/Dockerfile');
}

function isServerUrl(text: string): boolean {
  if (!/^(?:ws|http)s?:\/\/[^/\s?#@]+\/?$/.test(text)) return false;
  return URL.canParse(text);
}

function checkAgent(props: Props, fault: Report): void {
  const { agentImage, agentTaskDefinition, agentSecrets = {}, agentReadOnly } = props;
  fault(
    'agentImage',
    !agentImage && !agentTaskDefinition && 'is missing: give it, or agentTaskDefinition',
    agentImage && agentTaskDefinition && 'and agentTaskDefinition are both given: keep one',
  );
  for (const name of Object.keys(agentSecrets)) {
    fault(
      'agentSecrets',
      CREDENTIALS.includes(name) && `has ${name}: the launcher sets it for each task; remove it`,
      !/^[A-Za-z_]\w*$/.test(name) && `has "${name}": that is no name of a variable; correct it`,
    );
  }
  if (!agentTaskDefinition) return;
  const { arn, roleArns } = agentTaskDefinition;
  const elsewhere = 'agentTaskDefinition says it: remove this, or give an agentImage instead';
  fault('agentSecrets', Object.keys(agentSecrets).length > 0 && elsewhere);
  fault('agentReadOnly', agentReadOnly !== undefined && elsewhere);
  const example = 'arn:aws:ecs:us-east-1:111122223333:task-definition/room-agent:7';
  fault(
    'agentTaskDefinition',
    !isToken(arn) &&
      !DEFINITION.test(arn) &&
      `is "${arn}": give its ARN and revision, as ${example}`,
    roleArns.length === 0 && 'has no roles: give the ARNs of its task and execution roles',
  );
  for (const role of roleArns) {
    const odd = !isToken(role) && !ROLE.test(role);
    fault('agentTaskDefinition', odd && `has the role "${role}": give the ARN of a role`);
  }
}

function checkCapacity(props: Props, fault: Report): void {
  const { cpu = DEFAULT_CPU, memoryMiB = DEFAULT_MEMORY_MIB, standbys = 0, spot } = props;
  const { capacityProviders: own = [], clusterArn, vpc, taskSubnets } = props;
  const onFargate = own.every((name) => name.startsWith('FARGATE'));
  const advice = onFargate ? fargateAdvice(cpu, memoryMiB) : null;
  const size = `is ${memoryMiB}, with a cpu of ${cpu}`;
  fault('memoryMiB', advice !== null && `${size}: Fargate has no such task; choose ${advice}`);
  fault(
    'standbys',
    !(Number.isInteger(standbys) && standbys >= 0 && standbys <= STANDBYS_MAX) &&
      `is ${standbys}: it must be a whole number from 0 to ${STANDBYS_MAX}`,
  );
  if (own.length === 0) return;
  const names = own.join(', ');
  fault(
    'spot',
    spot && `is Fargate's, and capacityProviders names ${names}: remove one of the two`,
  );
  if (onFargate) return;
  fault(
    'capacityProviders',
    clusterArn === undefined &&
      `names ${names}, which a new cluster has not: give the clusterArn of one that has`,
    !(vpc && taskSubnets && !arePublic(vpc, vpc.selectSubnets(taskSubnets))) &&
      `names ${names}, whose tasks get no public address: name private taskSubnets of a vpc`,
  );
}

function checkPlace(props: Props, fault: Report): void {
  const { vpc, natGateways, taskSubnets, clusterArn } = props;
  fault(
    'natGateways',
    vpc && natGateways !== undefined && 'is for a new network, and vpc names one: remove it',
    natGateways !== undefined &&
      !(Number.isInteger(natGateways) && natGateways >= 0) &&
      `is ${natGateways}: it must be a whole number from 0`,
  );
  fault('taskSubnets', taskSubnets && !vpc && 'are of no network: give the vpc that has them');
  const example = 'arn:aws:ecs:us-east-1:111122223333:cluster/rooms';
  fault(
    'clusterArn',
    clusterArn !== undefined &&
      !isToken(clusterArn) &&
      !CLUSTER.test(clusterArn) &&
      `is "${clusterArn}": give the ARN of a cluster, as ${example}`,
  );
}

function checkNames(props: Props, fault: Report): void {
  const { certificate, domainName, gatewayDomainName, hostedZone, vpc, taskSubnets } = props;
  const zoneName = hostedZone?.zoneName ?? '';
  const strange = (name: string | undefined) =>
    name !== undefined && hostedZone && !isToken(zoneName) && !isWithin(name, zoneName);
  fault(
    'domainName',
    domainName === undefined &&
      'is missing: give the name that LiveKit is to call, and its certificate or hostedZone',
    domainName !== undefined &&
      !certificate &&
      !hostedZone &&
      `is "${domainName}" without certificate or hostedZone: give the certificate for it, or the ` +
        'zone in which one can be proven',
    strange(domainName) && `is "${domainName}", which is not in the hostedZone ${zoneName}`,
  );
  fault(
    'gatewayDomainName',
    gatewayDomainName !== undefined &&
      vpc &&
      taskSubnets &&
      vpc.selectSubnets(taskSubnets).subnetIds.length < BALANCER_SUBNETS_MIN &&
      'is for a load balancer in the taskSubnets: name two or more of them, of two zones',
    gatewayDomainName !== undefined &&
      !hostedZone &&
      `is "${gatewayDomainName}" without hostedZone: give the zone that it is in`,
    strange(gatewayDomainName) && `is "${gatewayDomainName}", not in the hostedZone ${zoneName}`,
    gatewayDomainName !== undefined &&
      gatewayDomainName === domainName &&
      'is the same as domainName: give it a name of its own',
  );
}

function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone.replace(/\.$/, '')}`);
}

function checkSettings({ settings = {} }: Props, fault: Report): void {
  for (const [name, value] of Object.entries(settings)) {
    fault('settings', settingFault(name, value) ?? false);
  }
}

/** A service, its secrets, its certificate, its cluster and its alarms' topic are of one region. */
function checkRegions(props: Props, region: string | undefined, fault: Report): void {
  const arns: readonly (readonly [string, string | undefined])[] = [
    ['livekitSecret', props.livekitSecret?.secretArn],
    ['certificate', props.certificate?.certificateArn],
    ['agentTaskDefinition', props.agentTaskDefinition?.arn],
    ['clusterArn', props.clusterArn],
    ['alarmTopic', props.alarmTopic?.topicArn],
    // `<ARN>`, or `<ARN>:<key>::`.
    ...Object.values(props.agentSecrets ?? {}).map(({ arn }) => ['agentSecrets', arn] as const),
  ];
  const placed = arns.flatMap(([prop, arn]) => {
    const of = arn === undefined || isToken(arn) ? undefined : arn.split(':')[3];
    return of ? [{ prop, arn, of }] : [];
  });
  const [first] = placed;
  const known = region !== undefined && !isToken(region);
  const here = known ? region : first?.of;
  const what = known ? 'the stack' : first?.prop;
  for (const { prop, arn, of } of placed) {
    const why = `is ${arn}, in ${of}, and ${what} in ${here}: name one of ${here}, or deploy to ${of} (AWS_REGION)`;
    fault(prop, of !== here && why);
  }
}

function isToken(text: string): boolean {
  return Token.isUnresolved(text);
}
