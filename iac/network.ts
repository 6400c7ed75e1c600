/**
 * The network and who may dial whom in it.
 *
 * A new one has public subnets and no NAT gateway: agents send media all the time, and NAT charges
 * for each gigabyte and by the hour, a public address only by the hour. What keeps others out is
 * that agents' tasks let nothing in. The groups have their rules inline and are not changed by
 * those that use them, so that what is here is all that is open.
 */
import { aws_ec2 as ec2, Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { PlaceProps } from './props.ts';

export const WEBHOOK_PORT = 8080;
export const GATEWAY_PORT = 8083;
const HTTPS_PORT = 443;

interface Opening {
  readonly port: number;
  /** Another group, or everybody. */
  readonly from: ec2.ISecurityGroup | 'internet';
  readonly why: string;
}

export class Network extends Construct {
  readonly vpc: ec2.IVpc;
  /** Where launcher and agents run. */
  readonly subnets: ec2.SelectedSubnets;
  /** In public subnets tasks reach nothing without a public address. */
  readonly assignPublicIp: boolean;
  readonly agents: ec2.ISecurityGroup;
  readonly balancer: ec2.ISecurityGroup;
  /** The internal load balancer of a `wss` gateway; null without one. */
  readonly gateway: ec2.ISecurityGroup | null;
  readonly launcher: ec2.ISecurityGroup;

  constructor(scope: Construct, id: string, props: PlaceProps & { gatewayDomainName?: string }) {
    super(scope, id);
    const { natGateways = 0 } = props;
    this.vpc = props.vpc ?? (this.#newVpc(natGateways) as ec2.IVpc);
    const { PRIVATE_WITH_EGRESS, PUBLIC } = ec2.SubnetType;
    const wanted = { subnetType: natGateways > 0 ? PRIVATE_WITH_EGRESS : PUBLIC };
    this.subnets = this.vpc.selectSubnets(props.taskSubnets ?? wanted);
    this.assignPublicIp = arePublic(this.vpc, this.subnets);
    this.agents = this.#group('Agents', 'Agents tasks: they dial out, nothing dials them', []);
    this.balancer = this.#group('Balancer', 'Load balancer of webhooks', [
      { port: HTTPS_PORT, from: 'internet', why: 'LiveKit has no fixed addresses' },
    ]);
    this.gateway =
      props.gatewayDomainName === undefined
        ? null
        : this.#group('Gateway', 'Load balancer of the gateway', [
            { port: HTTPS_PORT, from: this.agents, why: 'agents tasks' },
          ]);
    this.launcher = this.#group('Launcher', 'Launcher', [
      { port: WEBHOOK_PORT, from: this.balancer, why: 'webhooks' },
      { port: GATEWAY_PORT, from: this.gateway ?? this.agents, why: 'gateway' },
    ]);
  }

  #newVpc(natGateways: number): ec2.Vpc {
    const { PRIVATE_WITH_EGRESS, PUBLIC } = ec2.SubnetType;
    // A /20 has an address for each of some 4,000 tasks.
    const cidrMask = 20;
    const privateOnes = { name: 'private', subnetType: PRIVATE_WITH_EGRESS, cidrMask };
    const vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr('10.0.0.0/16'),
      maxAzs: 2,
      natGateways,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'public', subnetType: PUBLIC, cidrMask },
        ...(natGateways > 0 ? [privateOnes] : []),
      ],
    });
    acknowledge(
      vpc,
      'VPC7',
      'who dials whom is logged by the launcher; flow logs are yours to add',
    );
    return vpc;
  }

  #group(id: string, groupDescription: string, openings: readonly Opening[]): ec2.ISecurityGroup {
    const group = new ec2.CfnSecurityGroup(this, `${id}Group`, {
      groupDescription,
      vpcId: this.vpc.vpcId,
      securityGroupIngress: openings.map(({ port, from, why }) => ({
        ipProtocol: 'tcp',
        fromPort: port,
        toPort: port,
        description: why,
        ...(from === 'internet'
          ? { cidrIp: '0.0.0.0/0' }
          : { sourceSecurityGroupId: from.securityGroupId }),
      })),
      securityGroupEgress: [{ ipProtocol: '-1', cidrIp: '0.0.0.0/0', description: 'all' }],
    });
    if (openings.some(({ from }) => from === 'internet')) {
      acknowledge(
        group,
        'EC23',
        'LiveKit has no fixed addresses; its signature is what is checked',
      );
    }
    Tags.of(group).add('Name', group.node.path);
    return ec2.SecurityGroup.fromSecurityGroupId(this, id, group.attrGroupId, { mutable: false });
  }
}

/** Whether there are public ones among them: by id, as one that is named again is another object. */
export function arePublic(vpc: ec2.IVpc, { subnetIds }: ec2.SelectedSubnets): boolean {
  return vpc.publicSubnets.some(({ subnetId }) => subnetIds.includes(subnetId));
}
