/** ECS keeps no output: the driver says where the task definition sends it. */
import { beforeAll, expect, it } from 'vitest';
import type { TaskId } from '../../../launcher/driver.ts';
import { placeOf } from '../../../launcher/drivers/ecs/output.ts';
import { ecsBed, ecsRequest, warmUp } from '../../support/ecs-bed.ts';

const CALM = new AbortController().signal;
const HOW = { tail: 1, follow: false };
const ID = 'arn:aws:ecs:eu-central-1:111122223333:task/rooms/0123abcd';

beforeAll(warmUp);

it('names the command that shows the stream of a task', () => {
  const options = {
    'awslogs-group': '/room-agent',
    'awslogs-region': 'eu-central-1',
    'awslogs-stream-prefix': 'agent',
  };
  expect(placeOf({ logDriver: 'awslogs', options }, ID)).toBe(
    'ECS keeps no output of its tasks; CloudWatch Logs has it: aws logs tail /room-agent ' +
      '--log-stream-names agent/agent/0123abcd --region eu-central-1 --follow',
  );
});

it.each([
  [null, "see the logConfiguration of its task definition's container agent"],
  [{ logDriver: 'splunk' as const }, 'the task definition sends it to its log driver, splunk'],
])('says what it can of %j', (configuration, text) => {
  expect(placeOf(configuration, ID)).toBe(`ECS keeps no output of its tasks: ${text}`);
});

it('rejects for a task of ours, with or without a look at its definition, and knows no other', async () => {
  const bed = ecsBed();
  const { clock, fake } = bed;
  const driver = await bed.driver();
  const result = await driver.launch(ecsRequest('r-RM_a-1'), CALM);
  if (result.outcome !== 'accepted') throw new Error(result.detail);
  await clock.advance(30_000);
  const { taskId } = result.task;
  const refused = { kind: 'invalid', message: /^ECS keeps no output of its tasks/ };
  await expect(driver.logs!(taskId, HOW, CALM)).rejects.toMatchObject({ kind: refused.kind });
  fake.faults.always('DescribeTaskDefinition', { kind: 'reset-before' });
  await expect(driver.logs!(taskId, HOW, CALM)).rejects.toThrow(refused.message);
  expect(await driver.logs!('nothing' as TaskId, HOW, CALM)).toBeNull();
  const theirs = await bed.driver({ deployment: 'theirs' });
  expect(await theirs.logs!(taskId, HOW, CALM)).toBeNull();
});
