/** What `RoomLauncher` can be told. `checks.ts` says what does not go together. */
import type {
  aws_certificatemanager as acm,
  aws_ec2 as ec2,
  aws_ecs as ecs,
  aws_logs as logs,
  aws_route53 as route53,
  aws_secretsmanager as secretsmanager,
  aws_sns as sns,
} from 'aws-cdk-lib';

/** A task definition that is not made here. */
export interface ExistingTaskDefinition {
  /** Its ARN with the revision. Its agent's container must be called `agent`. */
  readonly arn: string;
  /** Its task and execution roles: the launcher passes them on, and no others. */
  readonly roleArns: readonly string[];
}

/** What an agent's task is. */
export interface AgentProps {
  /** What tasks run. Either this or `agentTaskDefinition`. */
  readonly agentImage?: ecs.ContainerImage;
  /** What tasks run instead, as it is: then no other `agent…` prop but `agentRunner` means anything. */
  readonly agentTaskDefinition?: ExistingTaskDefinition;
  /** Variables of the agent whose values are kept in Secrets Manager or Parameter Store. */
  readonly agentSecrets?: Readonly<Record<string, ecs.Secret>>;
  /** The image is one of `room-launcher build`: its exit codes are read. False by default. */
  readonly agentRunner?: boolean;
  /** The root file system is read-only, and /tmp memory of 64 MiB. True by default. */
  readonly agentReadOnly?: boolean;
  /** Cores of an agent's task, 1 by default; on Fargate only in certain sizes with `memoryMiB`. */
  readonly cpu?: number;
  /** Memory of an agent's task, 2048 by default. */
  readonly memoryMiB?: number;
  /** Of both images. `arm64` by default: a fifth cheaper. */
  readonly architecture?: 'arm64' | 'x86_64';
  /** Tasks that wait for a room, 0 by default. They cost as much as tasks that serve. */
  readonly standbys?: number;
  /** Tasks run on Fargate Spot where it has capacity, else on demand. False by default. */
  readonly spot?: boolean;
  /** Providers of the cluster's own, EC2 capacity for example, in order of preference. */
  readonly capacityProviders?: readonly string[];
}

/** Where all of it is put. */
export interface PlaceProps {
  /** An existing network, with public subnets for the load balancer. A new one by default. */
  readonly vpc?: ec2.IVpc;
  /**
   * Of a new network, 0 by default: tasks have public addresses then, and let nothing in. A NAT
   * gateway costs as much as ten such addresses, and each gigabyte of media besides; with one or
   * more, tasks are in private subnets.
   */
  readonly natGateways?: number;
  /** Subnets of an existing network for launcher and agents; its public ones by default. */
  readonly taskSubnets?: ec2.SubnetSelection;
  /** An existing cluster. Best one of their own, which is made by default. */
  readonly clusterArn?: string;
}

/** How LiveKit reaches the launcher, and how tasks do. */
export interface DoorProps {
  /** For the load balancer. A new one by default, for `domainName`, proven in `hostedZone`. */
  readonly certificate?: acm.ICertificate;
  /** The name that webhooks are sent to. With `hostedZone` its record is made, too. */
  readonly domainName: string;
  /** The zone of the names given here. */
  readonly hostedZone?: route53.IHostedZone;
  /**
   * Tasks dial `wss://` this name: an internal load balancer with a certificate of its own, in
   * `hostedZone`. By default they dial `ws://` by service discovery, within the network.
   */
  readonly gatewayDomainName?: string;
}

export interface RoomLauncherProps extends AgentProps, PlaceProps, DoorProps {
  /** The LiveKit server whose rooms are served: `wss://…`. */
  readonly livekitUrl: string;
  /** JSON with the keys LIVEKIT_API_KEY and LIVEKIT_API_SECRET. The launcher alone gets them. */
  readonly livekitSecret: secretsmanager.ISecret;
  /**
   * `livekitSecret` has the key LAUNCHER_WEBHOOK_KEYS as well: `key:secret` pairs that may sign
   * webhooks, too, while LiveKit's key changes. False by default, as ECS wants a key that it names.
   */
  readonly webhookKeys?: boolean;
  /** The image of `launcher/Dockerfile`. */
  readonly launcherImage: ecs.ContainerImage;
  /** Further settings of the launcher: `{ LAUNCHER_RETRIES: '5' }`. None that is set here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told of each alarm, and of its end. */
  readonly alarmTopic?: sns.ITopic;
  /** Of both log groups, a month by default. */
  readonly logRetention?: logs.RetentionDays;
  /**
   * Operators may run commands in the launcher's container and forward ports to it (ECS Exec): the
   * only way to the admin API. It keeps its capabilities then, and can write its root file system.
   * False by default.
   */
  readonly ecsExec?: boolean;
}
