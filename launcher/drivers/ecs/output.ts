/**
 * `logs` on ECS, which keeps nothing of what its tasks write: says where the task definition sends
 * it. The launcher reads no other service for it: that would need a permission of its own.
 */
import type { LogConfiguration } from '@aws-sdk/client-ecs';
import { DriverError, type TaskId } from '../../driver.ts';
import type { Ecs } from './calls.ts';
import { isOfDeployment } from './convert.ts';
import { AGENT_CONTAINER } from './request.ts';
import { isTaskArn } from './stop.ts';

/** Null for an unknown task; rejects with `DriverError` `invalid` for every other. */
export async function logs(
  ecs: Ecs,
  deployment: string,
  taskId: TaskId,
  signal: AbortSignal,
): Promise<null> {
  const seen = isTaskArn(taskId) ? await ecs.describeOne(taskId) : null;
  if (seen === null || !isOfDeployment(seen, deployment)) return null;
  const { taskDefinitionArn = '' } = seen;
  // Looking at it is a permission that the launcher does not need otherwise.
  const definition = await ecs.describeTaskDefinition(taskDefinitionArn, signal).catch(() => null);
  const agent = definition?.containerDefinitions?.find(({ name }) => name === AGENT_CONTAINER);
  throw new DriverError('invalid', placeOf(agent?.logConfiguration ?? null, taskId));
}

/** Where a task's output is, in one line; the configuration is null where it is not known. */
export function placeOf(configuration: LogConfiguration | null, taskId: string): string {
  const { logDriver, options = {} } = configuration ?? {};
  const {
    'awslogs-group': group,
    'awslogs-region': region,
    'awslogs-stream-prefix': prefix,
  } = options;
  const none = 'ECS keeps no output of its tasks';
  if (logDriver === undefined) {
    return `${none}: see the logConfiguration of its task definition's container ${AGENT_CONTAINER}`;
  }
  if (logDriver !== 'awslogs' || group === undefined || prefix === undefined) {
    return `${none}: the task definition sends it to its log driver, ${logDriver}`;
  }
  const stream = `${prefix}/${AGENT_CONTAINER}/${taskId.slice(taskId.lastIndexOf('/') + 1)}`;
  const where = region === undefined ? '' : ` --region ${region}`;
  const command = `aws logs tail ${group} --log-stream-names ${stream}${where} --follow`;
  return `${none}; CloudWatch Logs has it: ${command}`;
}
