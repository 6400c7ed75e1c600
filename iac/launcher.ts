/** The launcher as a Fargate service of one task, which a deployment replaces before it ends. */
import {
  aws_ecs as ecs,
  type aws_iam as iam,
  type aws_logs as logs,
  aws_secretsmanager as secretsmanager,
  Duration,
  Stack,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcard, TO_PULL } from './acknowledge.ts';
import type { Agent } from './agent.ts';
import { DEFAULT_CPU, DEFAULT_MEMORY_MIB } from './agent.ts';
import type { Gateway } from './gateway.ts';
import { platformOf, warnOfMovingTag } from './image.ts';
import { GATEWAY_PORT, type Network, WEBHOOK_PORT } from './network.ts';
import { launcherRole } from './permissions.ts';
import type { RoomLauncherProps } from './props.ts';
import type { TaskEvents } from './task-events.ts';

export const LAUNCHER_CONTAINER = 'launcher';
const CPU_UNITS = 256;
const MEMORY_MIB = 512;
const STOP_TIMEOUT = Duration.seconds(30);
const START_GRACE = Duration.seconds(60);
/** The gateway takes no shorter one; this has no white space and no comma. */
const GATEWAY_SECRET_LENGTH = 48;
/** Node ends with 1 for a promise that is rejected. */
const HEALTH =
  `fetch('http://127.0.0.1:${WEBHOOK_PORT}/healthz')` +
  ".then(({ ok }) => ok || Promise.reject(new Error('unwell')))";

export interface LauncherParts extends RoomLauncherProps {
  readonly agent: Agent;
  readonly cluster: ecs.ICluster;
  readonly events: TaskEvents;
  readonly gateway: Gateway;
  readonly logGroup: logs.ILogGroup;
  readonly network: Network;
}

export class Launcher extends Construct {
  readonly service: ecs.FargateService;
  readonly logGroup: logs.ILogGroup;
  readonly taskRole: iam.IRole;
  /** What tasks' credentials for the gateway are made from: docs/deploy.md says how it is changed. */
  readonly gatewaySecret: secretsmanager.ISecret;

  constructor(scope: Construct, id: string, parts: LauncherParts) {
    super(scope, id);
    const { cluster, gateway, network, ecsExec = false } = parts;
    this.logGroup = parts.logGroup;
    this.gatewaySecret = this.#gatewaySecret();
    const definition = this.#definition(parts);
    this.taskRole = definition.taskRole;
    this.#container(definition, parts);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster,
      taskDefinition: definition,
      desiredCount: 1,
      // The next one answers before this one ends, so that agents always find a gateway.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      healthCheckGracePeriod: START_GRACE,
      assignPublicIp: network.assignPublicIp,
      vpcSubnets: { subnets: network.subnets.subnets },
      securityGroups: [network.launcher],
      enableExecuteCommand: ecsExec,
      ...(gateway.cloudMap && { cloudMapOptions: gateway.cloudMap }),
    });
    // Its first task could not read its secrets otherwise.
    const executionRole = definition.obtainExecutionRole();
    this.service.node.addDependency(executionRole);
    acknowledgeWildcard(executionRole, '*', TO_PULL);
  }

  #definition(parts: LauncherParts): ecs.FargateTaskDefinition {
    const { agent, cluster, events } = parts;
    const { clusterArn, clusterName } = cluster;
    const { family, roleArns } = agent;
    const reach = { clusterArn, clusterName, family, roleArns, queueArn: events.queue.queueArn };
    const definition = new ecs.FargateTaskDefinition(this, 'Task', {
      cpu: CPU_UNITS,
      memoryLimitMiB: MEMORY_MIB,
      runtimePlatform: platformOf(parts),
      taskRole: launcherRole(this, 'TaskRole', reach),
    });
    acknowledge(definition, 'ECS2', 'what is secret among its variables is in `secrets`');
    return definition;
  }

  #container(definition: ecs.FargateTaskDefinition, parts: LauncherParts): void {
    const { launcherImage, livekitSecret, webhookKeys, logGroup, ecsExec = false } = parts;
    const linuxParameters = new ecs.LinuxParameters(this, 'Linux', { initProcessEnabled: true });
    // AWS does not say which of them its agent for such commands needs.
    if (!ecsExec) linuxParameters.dropCapabilities(ecs.Capability.ALL);
    const fromLiveKit = (name: string) => ecs.Secret.fromSecretsManager(livekitSecret, name);
    const container = definition.addContainer(LAUNCHER_CONTAINER, {
      image: launcherImage,
      essential: true,
      stopTimeout: STOP_TIMEOUT,
      // Whoever runs a command in it (ECS Exec) has to write there.
      readonlyRootFilesystem: !ecsExec,
      linuxParameters,
      portMappings: [{ containerPort: WEBHOOK_PORT }, { containerPort: GATEWAY_PORT }],
      environment: this.#environment(parts),
      secrets: {
        LIVEKIT_API_KEY: fromLiveKit('LIVEKIT_API_KEY'),
        LIVEKIT_API_SECRET: fromLiveKit('LIVEKIT_API_SECRET'),
        LAUNCHER_GATEWAY_SECRET: ecs.Secret.fromSecretsManager(this.gatewaySecret),
        ...(webhookKeys && { LAUNCHER_WEBHOOK_KEYS: fromLiveKit('LAUNCHER_WEBHOOK_KEYS') }),
      },
      healthCheck: {
        command: ['CMD', 'node', '-e', HEALTH],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: START_GRACE,
      },
      logging: ecs.LogDrivers.awsLogs({ streamPrefix: LAUNCHER_CONTAINER, logGroup }),
    });
    warnOfMovingTag('launcherImage', container);
  }

  /** Of its own, so that LiveKit's secret can change without agents losing the gateway. */
  #gatewaySecret(): secretsmanager.ISecret {
    const secret = new secretsmanager.Secret(this, 'GatewaySecret', {
      description: 'What keys of agents for the gateway are made from',
      generateSecretString: { excludePunctuation: true, passwordLength: GATEWAY_SECRET_LENGTH },
    });
    acknowledge(secret, 'SMG4', 'rotated by hand, `<new>,<old>`: docs/deploy.md');
    return secret as secretsmanager.ISecret;
  }

  #environment(parts: LauncherParts): Record<string, string> {
    const { agent, cluster, events, gateway, network, settings } = parts;
    const { cpu = DEFAULT_CPU, memoryMiB = DEFAULT_MEMORY_MIB, standbys = 0 } = parts;
    const providers = parts.spot ? ['FARGATE_SPOT', 'FARGATE'] : (parts.capacityProviders ?? []);
    return {
      ...settings,
      AWS_REGION: Stack.of(this).region,
      LIVEKIT_URL: parts.livekitUrl,
      LAUNCHER_DRIVER: 'ecs',
      LAUNCHER_GATEWAY_URL: gateway.url,
      LAUNCHER_ECS_CLUSTER: cluster.clusterArn,
      LAUNCHER_ECS_TASK_DEFINITION: agent.taskDefinitionArn,
      LAUNCHER_ECS_RUNNER: String(parts.agentRunner ?? false),
      LAUNCHER_ECS_SUBNETS: network.subnets.subnetIds.join(','),
      LAUNCHER_ECS_SECURITY_GROUPS: network.agents.securityGroupId,
      // Tasks on instances of one's own cannot have one.
      LAUNCHER_ECS_ASSIGN_PUBLIC_IP: String(network.assignPublicIp),
      LAUNCHER_ECS_EVENTS_QUEUE_URL: events.queue.queueUrl,
      ...(providers.length > 0 && { LAUNCHER_ECS_CAPACITY_PROVIDERS: providers.join(',') }),
      LAUNCHER_CPU: String(cpu),
      LAUNCHER_MEMORY_MIB: String(memoryMiB),
      LAUNCHER_STANDBY: String(standbys),
    };
  }
}
