/** One page that says whether rooms are served, and if not, what ECS said. */
import { aws_cloudwatch as cloudwatch, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Alarms, Watched } from './alarms.ts';

const HALF = 12;
const WHOLE = 24;
const HEIGHT = 6;

export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { alarms, ...watched }: Watched & { alarms: Alarms }) {
    super(scope, id);
    const dashboard = new cloudwatch.Dashboard(this, 'Page', {
      dashboardName: `${Stack.of(this).stackName}-room-launcher`,
    });
    const alarmStatus = new cloudwatch.AlarmStatusWidget({ alarms: alarms.all, width: WHOLE });
    dashboard.addWidgets(alarmStatus);
    dashboard.addWidgets(...graphs(alarms, watched));
    for (const table of tables(watched)) dashboard.addWidgets(table);
  }
}

function graphs(alarms: Alarms, { launcher, webhooks }: Watched): cloudwatch.GraphWidget[] {
  const { service } = launcher;
  return [
    graph('Rooms without agent, refused launches', [alarms.failedRuns, alarms.refusals]),
    graph('Webhooks, and those answered with 5xx', [
      webhooks.balancer.metrics.requestCount(),
      alarms.unanswered,
      alarms.errors,
    ]),
    graph('Launchers that answer', [alarms.healthyLaunchers]),
    graph('Task events: age of the oldest, dead letters', [alarms.hintAge, alarms.deadLetters]),
    graph("The launcher's share of its CPU and memory", [
      service.metricCpuUtilization(),
      service.metricMemoryUtilization(),
    ]),
  ];
}

function graph(title: string, left: cloudwatch.IMetric[]): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, width: HALF, height: HEIGHT });
}

/** Read from the log when somebody looks, so that they cost nothing otherwise. */
function tables({ launcher }: Watched): cloudwatch.LogQueryWidget[] {
  const table = (title: string, ...queryLines: string[]) =>
    new cloudwatch.LogQueryWidget({
      title,
      logGroupNames: [launcher.logGroup.logGroupName],
      view: cloudwatch.LogQueryVisualizationType.TABLE,
      queryLines,
      width: WHOLE,
      height: HEIGHT,
    });
  return [
    table(
      'Launches by outcome',
      'filter event = "task.launch"',
      'stats count(*) as launches, avg(took_ms) as mean_ms by outcome, refusal, detail',
      'sort launches desc',
    ),
    table(
      'Ends by verdict',
      'filter event = "task.end"',
      'stats count(*) as ends by verdict, reason',
      'sort ends desc',
    ),
    table(
      'Rooms that failed for good',
      'fields @timestamp, sid, reason',
      'filter event = "run.fail"',
      'sort @timestamp desc',
    ),
  ];
}
