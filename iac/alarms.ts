/** What somebody should be woken by, and why. Without a topic the alarms are there to be seen. */
import {
  aws_cloudwatch as cloudwatch,
  aws_cloudwatch_actions as actions,
  aws_elasticloadbalancingv2 as elb,
  aws_logs as logs,
  type aws_sns as sns,
  Duration,
  Stack,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Launcher } from './launcher.ts';
import type { TaskEvents } from './task-events.ts';
import type { Webhooks } from './webhooks.ts';

const MINUTE = Duration.minutes(1);
const FEW_MINUTES = Duration.minutes(5);
const ERRORS_MAX = 5;
/** The launcher reads hints at once: one that waits so long is read by nobody. */
const HINT_AGE_MAX_SECONDS = 60;

/** What is watched, of the whole. */
export interface Watched {
  readonly events: TaskEvents;
  readonly launcher: Launcher;
  readonly webhooks: Webhooks;
}

export interface AlarmsParts extends Watched {
  readonly topic: sns.ITopic | undefined;
}

export class Alarms extends Construct {
  readonly all: cloudwatch.Alarm[] = [];
  readonly failedRuns: cloudwatch.IMetric;
  readonly refusals: cloudwatch.IMetric;
  /** Webhooks that the load balancer had no launcher for. */
  readonly unanswered: cloudwatch.IMetric;
  /** Those that the launcher itself answered so. */
  readonly errors: cloudwatch.IMetric;
  readonly healthyLaunchers: cloudwatch.IMetric;
  readonly hintAge: cloudwatch.IMetric;
  readonly deadLetters: cloudwatch.IMetric;
  readonly #topic: sns.ITopic | undefined;

  constructor(scope: Construct, id: string, parts: AlarmsParts) {
    super(scope, id);
    const { events, launcher, webhooks } = parts;
    this.#topic = parts.topic;
    const counted = (name: string, pattern: logs.IFilterPattern) =>
      this.#counted(name, launcher.logGroup, pattern);
    const { FilterPattern } = logs;
    const event = (name: string) => FilterPattern.stringValue('$.event', '=', name);
    this.failedRuns = counted('FailedRuns', event('run.fail'));
    const refused = FilterPattern.stringValue('$.outcome', '=', 'refused');
    this.refusals = counted('Refusals', FilterPattern.all(event('task.launch'), refused));
    const { HttpCodeElb, HttpCodeTarget } = elb;
    const sum = { statistic: 'Sum', period: FEW_MINUTES };
    const { metrics } = webhooks.balancer;
    this.unanswered = metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sum);
    this.errors = metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sum);
    this.healthyLaunchers = webhooks.target.metrics.healthyHostCount({
      period: MINUTE,
      statistic: 'Maximum',
    });
    this.hintAge = events.queue.metricApproximateAgeOfOldestMessage({ period: MINUTE });
    this.deadLetters = events.deadLetters.metricApproximateNumberOfMessagesVisible({
      period: FEW_MINUTES,
    });
    this.#raiseAll();
  }

  #raiseAll(): void {
    this.#raise(
      'RoomsWithoutAgent',
      'Rooms have no agent: their runs failed for good',
      when(this.failedRuns, 1),
    );
    this.#raise(
      'LaunchesRefused',
      'ECS refuses launches: capacity, quota or permissions',
      // The launcher says once for each room what it is refused for, however often it asks again.
      when(this.refusals, 1),
    );
    this.#raise(
      'WebhooksUnanswered',
      'The load balancer answers webhooks with 5xx: it finds no launcher',
      when(this.unanswered, ERRORS_MAX),
    );
    this.#raise(
      'WebhookErrors',
      'The launcher answers webhooks with 5xx',
      when(this.errors, ERRORS_MAX),
    );
    this.#raise('NoLauncher', 'No launcher answers /healthz', {
      ...when(this.healthyLaunchers, 1, 3),
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    });
    this.#raise(
      'TaskEventsUnread',
      'The launcher does not read task events',
      when(this.hintAge, HINT_AGE_MAX_SECONDS, 3),
    );
    this.#raise(
      'TaskEventsDead',
      'Task events could not be written, or not be dealt with',
      when(this.deadLetters, 1),
    );
  }

  #raise(id: string, alarmDescription: string, props: cloudwatch.AlarmProps): void {
    const alarm = new cloudwatch.Alarm(this, id, {
      alarmDescription,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...props,
    });
    this.all.push(alarm);
    if (!this.#topic) return;
    const action = new actions.SnsAction(this.#topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }

  /** How many lines of the launcher's log are such, as a metric. */
  #counted(
    metricName: string,
    logGroup: logs.ILogGroup,
    filterPattern: logs.IFilterPattern,
  ): cloudwatch.IMetric {
    const filter = new logs.MetricFilter(this, `${metricName}Filter`, {
      logGroup,
      filterPattern,
      metricNamespace: `RoomLauncher/${Stack.of(this).stackName}`,
      metricName,
    });
    return filter.metric({ statistic: 'Sum', period: FEW_MINUTES });
  }
}

/** At or above the threshold for so many periods. */
function when(metric: cloudwatch.IMetric, threshold: number, evaluationPeriods = 1) {
  return { metric, threshold, evaluationPeriods };
}
