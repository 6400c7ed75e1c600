/** A stack with one `RoomLauncher`, as the context describes it. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { faultsOf, InputError } from './checks.ts';
import { choicesOf } from './choices.ts';
import { Context } from './context.ts';
import { RoomLauncher, type RoomLauncherProps } from './room-launcher.ts';

/** What CloudFormation takes. */
export const STACK_NAME = /^[A-Za-z][A-Za-z0-9-]{0,127}$/;
const STACK_NAME_FORM = 'letters, digits and hyphens, at most 128, and begin with a letter';

export interface RoomLauncherStackProps extends StackProps {
  /** Folder of the repository: the launcher's image is built from it. */
  readonly root: string;
  /** Where it is deployed to, as far as that is known before: to see what is of another region. */
  readonly expectedRegion?: string | undefined;
}

export class RoomLauncherStack extends Stack {
  readonly roomLauncher: RoomLauncher;

  /** Throws `InputError`: all that is missing or odd in the context, at once. */
  constructor(scope: Construct, id: string, props: RoomLauncherStackProps) {
    const { root, expectedRegion, ...stackProps } = props;
    super(scope, id, {
      description: 'Room Launcher: a LiveKit agent for each room',
      ...stackProps,
    });
    const context = new Context(this.node.getAllContext() as Record<string, unknown>);
    context.text('stackName', STACK_NAME, STACK_NAME_FORM);
    const choices = choicesOf(this, context, root);
    const faults = [...context.faults, ...otherFaults(context, choices, expectedRegion)];
    if (faults.length > 0) throw new InputError(faults);
    this.roomLauncher = new RoomLauncher(this, 'RoomLauncher', choices as RoomLauncherProps);
    this.#say();
  }

  #say(): void {
    const { agent, agentLogs, cluster, events, launcher, webhooks } = this.roomLauncher;
    const say = (id: string, value: string, description: string) =>
      new CfnOutput(this, id, { value, description });
    say('WebhookUrl', webhooks.url, 'Enter it as a webhook in LiveKit');
    say('LoadBalancer', webhooks.balancer.loadBalancerDnsName, 'Where domainName has to point');
    say('ClusterName', cluster.clusterName, 'Of the launcher and of the agents');
    say('ServiceName', launcher.service.serviceName, 'Of the launcher');
    say('LauncherLogs', launcher.logGroup.logGroupName, 'A line for each event, in JSON');
    say('AgentLogs', agentLogs.logGroupName, 'What agents say');
    say('AgentTaskDefinition', agent.taskDefinitionArn, 'What is launched for each room');
    say('GatewaySecret', launcher.gatewaySecret.secretArn, 'What tasks are known by');
    say('TaskEventsQueue', events.queue.queueUrl, 'Hints about tasks');
  }
}

/** Of the choices together; not again what is a fault of the context already. */
function otherFaults(context: Context, choices: Partial<RoomLauncherProps>, region?: string) {
  const said = new Set(context.faults.map(({ prop }) => PART_OF[prop] ?? prop));
  return faultsOf(choices, region).filter(({ prop }) => !said.has(prop));
}

/** Keys of the context without a prop of their own. */
const PART_OF: Readonly<Record<string, keyof RoomLauncherProps>> = {
  agentDirectory: 'agentImage',
  agentRoles: 'agentTaskDefinition',
  publicSubnets: 'vpc',
  hostedZoneName: 'hostedZone',
};
