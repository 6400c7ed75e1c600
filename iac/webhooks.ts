/** The way in for LiveKit's webhooks: HTTPS, POST on one path, and 404 for all else. */
import {
  aws_certificatemanager as acm,
  type aws_ecs as ecs,
  aws_elasticloadbalancingv2 as elb,
  aws_route53 as route53,
  aws_route53_targets as targets,
  Duration,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { LAUNCHER_CONTAINER } from './launcher.ts';
import { type Network, WEBHOOK_PORT } from './network.ts';
import type { DoorProps } from './props.ts';

const DRAIN = Duration.seconds(10);

export interface WebhooksParts extends DoorProps {
  readonly network: Network;
  readonly service: ecs.FargateService;
}

export class Webhooks extends Construct {
  readonly balancer: elb.ApplicationLoadBalancer;
  readonly target: elb.ApplicationTargetGroup;
  /** What LiveKit is told to call. */
  readonly url: string;

  constructor(scope: Construct, id: string, parts: WebhooksParts) {
    super(scope, id);
    const { network, domainName, hostedZone } = parts;
    this.balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
      vpc: network.vpc,
      internetFacing: true,
      securityGroup: network.balancer,
      dropInvalidHeaderFields: true,
    });
    acknowledge(this.balancer, 'ELB2', 'the launcher logs each webhook; a bucket is yours to add');
    this.target = this.#target(parts);
    this.url = `https://${domainName}/webhook`;
    if (hostedZone) {
      new route53.ARecord(this, 'Name', {
        zone: hostedZone,
        recordName: `${domainName}.`,
        target: route53.RecordTarget.fromAlias(new targets.LoadBalancerTarget(this.balancer)),
      });
    }
  }

  #target(parts: WebhooksParts): elb.ApplicationTargetGroup {
    const listener = this.balancer.addListener('Https', {
      port: 443,
      // The group says who may come in.
      open: false,
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
      certificates: [this.#certificate(parts)],
      defaultAction: elb.ListenerAction.fixedResponse(404, {
        contentType: 'text/plain',
        messageBody: 'not found',
      }),
    });
    const { ListenerCondition: Condition } = elb;
    return listener.addTargets('Launcher', {
      priority: 1,
      // The check of health comes from inside, by no rule.
      conditions: [Condition.pathPatterns(['/webhook']), Condition.httpRequestMethods(['POST'])],
      protocol: elb.ApplicationProtocol.HTTP,
      port: WEBHOOK_PORT,
      targets: [
        parts.service.loadBalancerTarget({
          containerName: LAUNCHER_CONTAINER,
          containerPort: WEBHOOK_PORT,
        }),
      ],
      healthCheck: { path: '/healthz', interval: Duration.seconds(10), healthyThresholdCount: 2 },
      deregistrationDelay: DRAIN,
    });
  }

  #certificate({ certificate, domainName, hostedZone }: WebhooksParts): acm.ICertificate {
    if (certificate) return certificate;
    if (!hostedZone) throw new Error('nothing makes a certificate');
    const validation = acm.CertificateValidation.fromDns(hostedZone);
    return new acm.Certificate(this, 'Certificate', { domainName, validation });
  }
}
