/**
 * Where agents' tasks find the launcher's gateway: by a name of the network's own, or, where traffic
 * in the network is not to be trusted, by TLS through an internal load balancer.
 */
import {
  aws_certificatemanager as acm,
  type aws_ecs as ecs,
  aws_elasticloadbalancingv2 as elb,
  aws_route53 as route53,
  aws_route53_targets as targets,
  aws_servicediscovery as discovery,
  Duration,
  Names,
  Stack,
  Token,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { GATEWAY_PORT, type Network } from './network.ts';
import type { DoorProps } from './props.ts';

const HOST = 'launcher';
/** Of DNS. */
const LABEL_LENGTH_MAX = 63;
const DNS_TTL = Duration.seconds(10);
/** Agents dial again at once: a launcher that ends need not be waited for. */
const DRAIN = Duration.seconds(10);

export interface GatewayParts extends DoorProps {
  readonly network: Network;
}

export class Gateway extends Construct {
  /** What tasks dial. */
  readonly url: string;
  /** Of the service, where it is found by name. */
  readonly cloudMap: ecs.CloudMapOptions | undefined;
  readonly #listener: elb.ApplicationListener | undefined;

  constructor(scope: Construct, id: string, parts: GatewayParts) {
    super(scope, id);
    const { gatewayDomainName, hostedZone, network } = parts;
    if (gatewayDomainName !== undefined && hostedZone) {
      this.url = `wss://${gatewayDomainName}`;
      this.#listener = this.#internalBalancer(gatewayDomainName, hostedZone, network);
      return;
    }
    const name = `${nameOf(Stack.of(this)).toLowerCase()}.internal`;
    this.url = `ws://${HOST}.${name}:${GATEWAY_PORT}`;
    this.cloudMap = {
      name: HOST,
      dnsTtl: DNS_TTL,
      dnsRecordType: discovery.DnsRecordType.A,
      cloudMapNamespace: new discovery.PrivateDnsNamespace(this, 'Names', {
        vpc: network.vpc,
        name,
      }),
    };
  }

  /** Lets traffic through to the service; nothing to do where its name leads to it. */
  open(service: ecs.FargateService): void {
    this.#listener?.addTargets('Launcher', {
      protocol: elb.ApplicationProtocol.HTTP,
      port: GATEWAY_PORT,
      targets: [
        service.loadBalancerTarget({ containerName: 'launcher', containerPort: GATEWAY_PORT }),
      ],
      healthCheck: { path: '/healthz', interval: Duration.seconds(10), healthyThresholdCount: 2 },
      deregistrationDelay: DRAIN,
    });
  }

  #internalBalancer(
    domainName: string,
    zone: route53.IHostedZone,
    network: Network,
  ): elb.ApplicationListener {
    if (!network.gateway) throw new Error('the network has no group for this load balancer');
    const balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
      vpc: network.vpc,
      vpcSubnets: { subnets: network.subnets.subnets },
      internetFacing: false,
      securityGroup: network.gateway,
      dropInvalidHeaderFields: true,
    });
    acknowledge(balancer, 'ELB2', 'the launcher logs who dials its gateway');
    new route53.ARecord(this, 'Name', {
      zone,
      recordName: `${domainName}.`,
      target: route53.RecordTarget.fromAlias(new targets.LoadBalancerTarget(balancer)),
    });
    const validation = acm.CertificateValidation.fromDns(zone);
    return balancer.addListener('Tls', {
      port: 443,
      open: false,
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
      certificates: [new acm.Certificate(this, 'Certificate', { domainName, validation })],
    });
  }
}

/** CloudFormation itself names a nested stack, and only when it is made. */
function nameOf(stack: Stack): string {
  if (!Token.isUnresolved(stack.stackName)) return stack.stackName;
  return Names.uniqueResourceName(stack, { maxLength: LABEL_LENGTH_MAX, separator: '-' });
}
