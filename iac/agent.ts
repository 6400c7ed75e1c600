/** What an agent's task is. LiveKit's key and secret are not in it: the launcher gives it a door. */
import {
  aws_ecs as ecs,
  aws_iam as iam,
  type aws_logs as logs,
  Duration,
  Names,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledgeWildcard, TO_PULL } from './acknowledge.ts';
import { platformOf, warnOfMovingTag } from './image.ts';
import type { AgentProps } from './props.ts';

/** The launcher looks for a container of this name. */
export const AGENT_CONTAINER = 'agent';
export const DEFAULT_CPU = 1;
export const DEFAULT_MEMORY_MIB = 2048;
/** What ECS counts a core as. */
const CPU_UNITS = 1024;
const STOP_TIMEOUT = Duration.seconds(60);
const TMP_MIB = 64;
const FAMILY_LENGTH_MAX = 100;

export interface AgentParts extends AgentProps {
  readonly logGroup: logs.ILogGroup;
}

export class Agent extends Construct {
  /** `arn:…:task-definition/<family>:<revision>`. */
  readonly taskDefinitionArn: string;
  readonly family: string;
  /** What the launcher has to pass on. */
  readonly roleArns: readonly string[];

  constructor(scope: Construct, id: string, parts: AgentParts) {
    super(scope, id);
    const { agentTaskDefinition: existing } = parts;
    if (existing) {
      const [, family = ''] = /task-definition\/([^:]+):\d+$/.exec(existing.arn) ?? [];
      this.taskDefinitionArn = existing.arn;
      this.family = family;
      this.roleArns = existing.roleArns;
      return;
    }
    const definition = this.#definition(parts);
    this.#container(definition, parts);
    this.taskDefinitionArn = definition.taskDefinitionArn;
    this.family = definition.family;
    const executionRole = definition.obtainExecutionRole();
    acknowledgeWildcard(executionRole, '*', TO_PULL);
    this.roleArns = [definition.taskRole.roleArn, executionRole.roleArn];
  }

  #definition(parts: AgentParts): ecs.TaskDefinition {
    const { cpu = DEFAULT_CPU, memoryMiB = DEFAULT_MEMORY_MIB, capacityProviders = [] } = parts;
    const { EC2_AND_FARGATE, FARGATE } = ecs.Compatibility;
    return new ecs.TaskDefinition(this, 'Task', {
      family: Names.uniqueResourceName(this, { maxLength: FAMILY_LENGTH_MAX, separator: '-' }),
      compatibility: capacityProviders.length > 0 ? EC2_AND_FARGATE : FARGATE,
      networkMode: ecs.NetworkMode.AWS_VPC,
      cpu: String(cpu * CPU_UNITS),
      memoryMiB: String(memoryMiB),
      runtimePlatform: platformOf(parts),
      // What the agent's own code may do in AWS: nothing, unless its policies are attached to this.
      taskRole: new iam.Role(this, 'TaskRole', {
        assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
        description: 'What an agent may do in AWS',
      }),
    });
  }

  #container(definition: ecs.TaskDefinition, parts: AgentParts): void {
    const { agentImage, agentSecrets = {}, agentReadOnly = true, logGroup } = parts;
    if (!agentImage) throw new Error('an agent has an image where it has no task definition');
    const linuxParameters = new ecs.LinuxParameters(this, 'Linux', { initProcessEnabled: true });
    linuxParameters.dropCapabilities(ecs.Capability.ALL);
    if (agentReadOnly) linuxParameters.addTmpfs({ containerPath: '/tmp', size: TMP_MIB });
    const container = definition.addContainer(AGENT_CONTAINER, {
      image: agentImage,
      essential: true,
      stopTimeout: STOP_TIMEOUT,
      readonlyRootFilesystem: agentReadOnly,
      linuxParameters,
      secrets: { ...agentSecrets },
      logging: ecs.LogDrivers.awsLogs({ streamPrefix: AGENT_CONTAINER, logGroup }),
    });
    warnOfMovingTag('agentImage', container);
  }
}
