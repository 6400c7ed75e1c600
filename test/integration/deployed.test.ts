/**
 * The whole of it as docs/deploy.md has it deployed to Amazon ECS: the CDK's real stack in an emulator
 * of AWS, both images built from what it stages, webhooks of a real LiveKit server through the
 * load balancer, the example's agents in real rooms; changed while a call goes on, and taken down.
 */
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { type DeployBed, startDeployBed } from '../support/deploy-bed.ts';
import { servedBy } from '../support/foreign-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { roomOver, type Served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const SERVED_MS = 60_000;
const ROLLED_MS = 60_000;
const TEST_MS = 600_000;
const REVISION = 'com.amazonaws.ecs.task-definition-version';

const serves = (bed: DeployBed, room: string) => servedBy(bed, room, 1, SERVED_MS);

/** Does what replaces the launcher, and waits until the next one is alone and has this task's line. */
async function rolls(bed: DeployBed, { key }: Served, change: () => Promise<unknown>) {
  const [before] = await bed.running('launcher');
  await change();
  const look = async () => {
    const [now, ...others] = await bed.running('launcher');
    if (!now || now.Id === before?.Id || others.length > 0) return false;
    return (await bed.logOf(now)).some(
      (line) => line.includes('task.register') && line.includes(key),
    );
  };
  await waitFor('the next launcher, alone, with the task', look, ROLLED_MS);
}

/** Of the agents' task definition, for each agent that runs. */
async function revisions(bed: DeployBed): Promise<number[]> {
  const agents = await bed.running('agent');
  return agents.map(({ Labels }) => Number(Labels[REVISION])).toSorted((a, b) => a - b);
}

describeWith(
  'livekit',
  'docker',
  'foreign',
  'ministack',
  'aws-cli',
)('the stack, deployed', () => {
  const cleanup = new Cleanup();
  let bed: DeployBed | undefined;
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await bed?.tellAll());
    await cleanup.run();
  });

  test(
    'serves rooms, is changed in mid-call, and leaves nothing',
    { timeout: TEST_MS },
    async () => {
      bed = await startDeployBed(cleanup);
      const before = await bed.inventory();
      await bed.does('Deploy', 'cdk.context.json');
      await bed.does('Deploy', 'npm run deploy');
      await bed.does('Look', 'output()');
      expect(await bed.output('WebhookUrl')).toBe('https://launcher.example.com/webhook');

      await bed.does('Deploy', 'createRoom');
      const visitor = cleanup.use(await visit(bed.server, 'first'));
      const first = await serves(bed, 'first');
      await visitor.asks(first.agent.identity, 'are you there?');
      expect((await bed.does('Look', 'filter-log-events')).stdout).toContain(first.key);
      expect(await revisions(bed)).toEqual([1]);

      await bed.wants('"cpu": 0.5, "memoryMiB": 1024');
      await rolls(bed, first, () => bed!.does('Update', 'npm run deploy'));
      await bed.rooms.createRoom({ name: 'second' });
      await serves(bed, 'second');
      expect(await revisions(bed)).toEqual([1, 2]);

      await bed.does('Change secrets', 'GatewaySecret');
      await bed.does('Change secrets', 'room-launcher/livekit');
      await rolls(bed, first, () => bed!.does('Change secrets', '--force-new-deployment'));
      await visitor.asks(first.agent.identity, 'still there?');
      expect((await serves(bed, 'first')).agent.sid).toBe(first.agent.sid);
      await bed.rooms.deleteRoom('first');
      await roomOver(bed, 'first');
      await waitFor('its end', async () => (await revisions(bed!)).join() === '2', SERVED_MS);

      await bed.rooms.createRoom({ name: 'third' });
      await serves(bed, 'third');
      await bed.does('Take it down', 'cdk destroy');
      expect([...(await bed.running('launcher')), ...(await bed.running('agent'))]).toEqual([]);
      expect(await bed.inventory()).toEqual(before);
    },
  );
});
