/**
 * Hints about tasks: ECS tells EventBridge, which writes to a queue that the launcher reads. What
 * could not be written, or was read five times and never done with, is kept in a second queue.
 */
import {
  type aws_ecs as ecs,
  aws_events as events,
  aws_events_targets as targets,
  aws_sqs as sqs,
  Duration,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** A hint that is older is worth nothing: the launcher looks at everything much more often. */
export const HINT_RETENTION = Duration.minutes(5);
const DEAD_LETTER_RETENTION = Duration.days(14);
const RECEIVES_MAX = 5;

export class TaskEvents extends Construct {
  readonly queue: sqs.Queue;
  readonly deadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, cluster: ecs.ICluster) {
    super(scope, id);
    const encryption = sqs.QueueEncryption.SQS_MANAGED;
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', {
      encryption,
      enforceSSL: true,
      retentionPeriod: DEAD_LETTER_RETENTION,
    });
    this.queue = new sqs.Queue(this, 'Queue', {
      encryption,
      enforceSSL: true,
      retentionPeriod: HINT_RETENTION,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIVES_MAX },
    });
    new events.Rule(this, 'Rule', {
      description: 'Starts and ends of tasks, for the launcher',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: { clusterArn: [cluster.clusterArn], lastStatus: ['RUNNING', 'STOPPED'] },
      },
      targets: [new targets.SqsQueue(this.queue, { deadLetterQueue: this.deadLetters })],
    });
  }
}
