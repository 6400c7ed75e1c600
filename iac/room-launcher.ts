/**
 * The whole of it as one construct: what `docs/aws.md` describes by hand.
 *
 * Webhooks come in through an HTTPS load balancer, agents' tasks through service discovery, and
 * nothing else does. LiveKit's secret is given to the launcher's container alone.
 */
import { aws_ecs as ecs, aws_logs as logs, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { Agent } from './agent.ts';
import { Alarms } from './alarms.ts';
import { faultsOf, InputError } from './checks.ts';
import { Dashboard } from './dashboard.ts';
import { Gateway } from './gateway.ts';
import { Launcher } from './launcher.ts';
import { Network } from './network.ts';
import type { RoomLauncherProps } from './props.ts';
import { TaskEvents } from './task-events.ts';
import { Webhooks } from './webhooks.ts';

export type { RoomLauncherProps };

export class RoomLauncher extends Construct {
  readonly agent: Agent;
  readonly agentLogs: logs.ILogGroup;
  readonly cluster: ecs.ICluster;
  readonly events: TaskEvents;
  readonly launcher: Launcher;
  readonly network: Network;
  readonly webhooks: Webhooks;

  /** Throws `InputError`, which names each prop that is missing, odd, or goes with another not. */
  constructor(scope: Construct, id: string, props: RoomLauncherProps) {
    super(scope, id);
    const faults = faultsOf(props, Stack.of(this).region);
    if (faults.length > 0) throw new InputError(faults);
    this.network = new Network(this, 'Network', props);
    this.cluster = this.#clusterOf(props);
    const place = { cluster: this.cluster, network: this.network };
    const retention = props.logRetention ?? logs.RetentionDays.ONE_MONTH;
    const logGroup = (name: string) =>
      new logs.LogGroup(this, name, { retention, removalPolicy: RemovalPolicy.DESTROY });
    this.agentLogs = logGroup('AgentLogs');
    this.agent = new Agent(this, 'Agent', { ...props, logGroup: this.agentLogs });
    this.events = new TaskEvents(this, 'TaskEvents', this.cluster);
    const gateway = new Gateway(this, 'Gateway', { ...props, network: this.network });
    this.launcher = new Launcher(this, 'Launcher', {
      ...props,
      ...place,
      agent: this.agent,
      events: this.events,
      gateway,
      logGroup: logGroup('LauncherLogs'),
    });
    gateway.open(this.launcher.service);
    this.webhooks = new Webhooks(this, 'Webhooks', {
      ...props,
      network: this.network,
      service: this.launcher.service,
    });
    const watched = { events: this.events, launcher: this.launcher, webhooks: this.webhooks };
    const alarms = new Alarms(this, 'Alarms', { ...watched, topic: props.alarmTopic });
    new Dashboard(this, 'Dashboard', { ...watched, alarms });
  }

  #clusterOf({ clusterArn }: RoomLauncherProps): ecs.ICluster {
    const { vpc } = this.network;
    if (clusterArn !== undefined) {
      const clusterName = clusterArn.slice(clusterArn.lastIndexOf('/') + 1);
      return ecs.Cluster.fromClusterAttributes(this, 'Cluster', { clusterArn, clusterName, vpc });
    }
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc,
      containerInsightsV2: ecs.ContainerInsights.DISABLED,
    });
    acknowledge(cluster, 'ECS4', 'it costs by the task; the launcher tells the life of each');
    // On the cluster itself: an association of its own would be one more thing to order.
    const inner = cluster.node.defaultChild as ecs.CfnCluster;
    inner.capacityProviders = ['FARGATE', 'FARGATE_SPOT'];
    return cluster as ecs.ICluster;
  }
}
