/** From the context's texts to props of `RoomLauncher`; what cannot be read is among its faults. */
import {
  Annotations,
  aws_certificatemanager as acm,
  aws_ec2 as ec2,
  aws_ecs as ecs,
  aws_logs as logs,
  aws_route53 as route53,
  aws_secretsmanager as secretsmanager,
  aws_sns as sns,
  Fn,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { BALANCER_SUBNETS_MIN } from './checks.ts';
import type { Context } from './context.ts';
import { agentImage, architectureOf, launcherImage } from './images.ts';
import type { RoomLauncherProps } from './props.ts';

type Choices = Partial<RoomLauncherProps>;

const SECRET = /arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+-\w{6}/;
const SECRET_FORM = 'the full ARN of a secret, as `aws secretsmanager create-secret` prints it';
/** The same, and the key in its JSON: `<ARN>:<key>::`, as ECS writes it. */
const FIELD = new RegExp(`${SECRET.source}(?::\\w+::)?`);
const SUBNET = /^subnet-[0-9a-f]{8,17}$/;
const DOMAIN = /^(?=.{1,253}$)[\w-]+(?:\.[\w-]+)+$/;

/** `root`: of the repository, where the launcher's image is built from. */
export function choicesOf(scope: Construct, context: Context, root: string): Choices {
  const secretArn = context.text('livekitSecret', whole(SECRET), SECRET_FORM);
  const settings = context.pairs('settings', /[^,]*/, 'value');
  const topicForm = /^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+$/;
  const topicArn = context.text('alarmTopic', topicForm, 'the ARN of a topic of SNS');
  return defined<Choices>({
    ...agentChoices(scope, context),
    ...placeChoices(scope, context),
    ...doorChoices(scope, context),
    livekitUrl: context.text('livekitUrl', /\S/, 'a URL'),
    livekitSecret: made(secretArn, (arn) => secretOf(scope, 'LiveKit', arn)),
    webhookKeys: context.flag('webhookKeys'),
    launcherImage: launcherImage(scope, context, root),
    settings: made(settings, Object.fromEntries<string>),
    logRetention: retentionOf(context),
    alarmTopic: made(topicArn, (arn) => sns.Topic.fromTopicArn(scope, 'AlarmTopic', arn)),
    ecsExec: context.flag('ecsExec'),
  });
}

function agentChoices(scope: Construct, context: Context): Optional<Choices> {
  const secrets = context.pairs('agentSecrets', FIELD, SECRET_FORM);
  const arn = context.text('agentTaskDefinition', /\S/, 'an ARN');
  const roleArns = context.list('agentRoles', /\S/, 'the ARN of a role') ?? [];
  return {
    agentImage: agentImage(scope, context),
    agentTaskDefinition: made(arn, () => ({ arn: arn ?? '', roleArns })),
    agentSecrets: made(secrets, (all) =>
      Object.fromEntries([...all].map(([name, text]) => [name, fieldOf(scope, name, text)])),
    ),
    agentRunner: context.flag('agentRunner'),
    agentReadOnly: context.flag('agentReadOnly'),
    cpu: context.number('cpu'),
    memoryMiB: context.number('memoryMiB'),
    architecture: architectureOf(context),
    standbys: context.number('standbys'),
    spot: context.flag('spot'),
    capacityProviders: context.list('capacityProviders', /^[\w-]+$/, 'a capacity provider'),
  };
}

function placeChoices(scope: Construct, context: Context): Optional<Choices> {
  const vpcId = context.text('vpc', /^vpc-[0-9a-f]{8,17}$/, 'the id of a network, vpc-…');
  const publicIds = context.list('publicSubnets', SUBNET, 'subnet-…') ?? [];
  const privateIds = context.list('taskSubnets', SUBNET, 'subnet-…');
  if (!context.has('vpc')) {
    for (const key of ['publicSubnets', 'taskSubnets'] as const) {
      if (context.has(key)) context.refuse(key, 'are of no network: give the vpc that has them');
    }
  } else if (publicIds.length < BALANCER_SUBNETS_MIN) {
    const why = 'are missing: name two or more of the vpc, of two zones, for the load balancer';
    context.refuse('publicSubnets', why);
  }
  // Nobody asks for their route tables either.
  const unknownRoutes = '@aws-cdk/aws-ec2:noSubnetRouteTableId';
  Annotations.of(scope).acknowledgeWarning(unknownRoutes, 'no route is added to them');
  const subnet = (id: string) => ec2.Subnet.fromSubnetId(scope, id, id);
  const usable = publicIds.length === 0 ? undefined : vpcId;
  const vpc = made(usable, (id) =>
    ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {
      vpcId: id,
      publicSubnetIds: [...publicIds],
      // Nothing asks which zone one of them is in.
      availabilityZones: publicIds.map((_, index) => Fn.select(index, Fn.getAzs())),
    }),
  );
  return {
    vpc,
    taskSubnets: made(vpc && privateIds, (ids) => ({ subnets: ids.map(subnet) })),
    natGateways: context.number('natGateways'),
    clusterArn: context.text('clusterArn', /\S/, 'an ARN'),
  };
}

function doorChoices(scope: Construct, context: Context): Optional<Choices> {
  const form = /^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/[\w-]+$/;
  const certificate = context.text('certificate', form, 'the ARN of a certificate of ACM');
  const hostedZoneId = context.text('hostedZone', /^Z\w+$/, 'the id of a hosted zone, as Z0…');
  const zoneName = context.text('hostedZoneName', DOMAIN, 'the name of the hosted zone');
  const keys = ['hostedZone', 'hostedZoneName'] as const;
  const missing = keys.filter((key) => !context.has(key));
  if (missing.length === 1) {
    for (const key of missing) context.refuse(key, `is missing: ${keys.join(' and ')} go together`);
  }
  const zone = zoneName === undefined ? undefined : hostedZoneId;
  return {
    certificate: made(certificate, (arn) =>
      acm.Certificate.fromCertificateArn(scope, 'Certificate', arn),
    ),
    domainName: context.text('domainName', DOMAIN, 'a domain name'),
    hostedZone: made(zone, (id) =>
      route53.HostedZone.fromHostedZoneAttributes(scope, 'Zone', {
        hostedZoneId: id,
        zoneName: zoneName ?? '',
      }),
    ),
    gatewayDomainName: context.text('gatewayDomainName', DOMAIN, 'a domain name'),
  };
}

function retentionOf(context: Context): logs.RetentionDays | undefined {
  const days = context.number('logRetention');
  const all = Object.values(logs.RetentionDays).filter((value) => typeof value === 'number');
  if (days === undefined || all.includes(days)) return days;
  return context.refuse('logRetention', `is ${days}: CloudWatch keeps logs ${all.join(', ')} days`);
}

function secretOf(scope: Construct, id: string, arn: string): secretsmanager.ISecret {
  return secretsmanager.Secret.fromSecretCompleteArn(scope, id, arn);
}

function fieldOf(scope: Construct, name: string, text: string): ecs.Secret {
  const arn = SECRET.exec(text)?.[0] ?? '';
  const field = text.slice(arn.length).replaceAll(':', '');
  const secret = secretOf(scope, `Secret${name}`, arn);
  return ecs.Secret.fromSecretsManager(secret, field === '' ? undefined : field);
}

function whole(form: RegExp): RegExp {
  return new RegExp(`^(?:${form.source})$`);
}

/** What is made of a value, if there is one. */
function made<T, U>(value: T | undefined, make: (value: T) => U): U | undefined {
  return value === undefined ? undefined : make(value);
}

type Optional<T> = { [K in keyof T]: T[K] | undefined };

/** Without what is undefined. */
function defined<T extends object>(values: Optional<T>): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
