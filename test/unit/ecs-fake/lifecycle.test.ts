/**
 * A task's life.
 *
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html (states),
 * API_StopTask.html and API_DescribeTasks.html of the API reference. Which states a task really passes
 * through, and for how long, is not documented; neither is that a repeated StopTask is no error.
 */
import { describe, expect, it } from 'vitest';
import { bed, definition, HOUR_MS, MINUTE_MS } from './bed.ts';

const TIMINGS = {
  provisioningMs: 1_000,
  pendingMs: 1_000,
  activatingMs: 1_000,
  noticeMs: 1_000,
  deactivatingMs: 1_000,
  deprovisioningMs: 1_000,
};

describe('the life of a task', () => {
  it('passes every state of the documented life cycle', async () => {
    const { clock, fake, start, see, stop } = bed({ timings: TIMINGS });
    fake.account.onSigterm = () => ({ afterMs: 1_000, exitCode: 143 });
    const taskArn = await start();
    const seen: string[] = [];
    const look = async (times: number) => {
      for (let n = 0; n < times; n += 1) {
        const { lastStatus, desiredStatus, version } = await see(taskArn);
        seen.push(`${version} ${lastStatus} ${desiredStatus}`);
        await clock.advance(1_000);
      }
    };
    await look(4);
    await stop(taskArn);
    await look(5);
    expect(seen).toEqual([
      '1 PROVISIONING RUNNING',
      '2 PENDING RUNNING',
      '3 ACTIVATING RUNNING',
      '4 RUNNING RUNNING',
      '5 RUNNING STOPPED',
      '6 DEACTIVATING STOPPED',
      '7 STOPPING STOPPED',
      '8 DEPROVISIONING STOPPED',
      '9 STOPPED STOPPED',
    ]);
  });

  it('stops by SIGTERM, keeps the reason, and deletes the tags', async () => {
    const { clock, start, see, stop } = bed();
    const taskArn = await start({ tags: [{ key: 'room', value: 'RM_1' }] });
    await clock.advance(MINUTE_MS);
    expect((await see(taskArn)).tags).toEqual([{ key: 'room', value: 'RM_1' }]);
    const { task } = await stop(taskArn, 'served: the room is gone');
    expect(task).toMatchObject({ desiredStatus: 'STOPPED', lastStatus: 'RUNNING', tags: [] });
    await clock.advance(MINUTE_MS);
    expect(await see(taskArn)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'UserInitiated',
      stoppedReason: 'served: the room is gone',
      containers: [{ name: 'agent', lastStatus: 'STOPPED', exitCode: 143 }],
      tags: [],
    });
  });

  it('kills after the stop timeout of the definition, by default 30 seconds', async () => {
    const { clock, fake, start, see, stop } = bed();
    fake.account.onSigterm = () => ({ afterMs: Infinity, exitCode: 0 });
    const byDefault = await start();
    fake.register(definition(5));
    const short = await start();
    await clock.advance(MINUTE_MS);
    await stop(byDefault);
    await stop(short);
    await clock.advance(10_000);
    expect((await see(short)).containers![0]!.exitCode).toBe(137);
    expect((await see(byDefault)).lastStatus).toBe('STOPPING');
    await clock.advance(25_000);
    expect((await see(byDefault)).containers![0]!.exitCode).toBe(137);
  });

  it('keeps the exit code of a program that ends within the stop timeout', async () => {
    const { clock, fake, start, see, stop } = bed();
    fake.account.onSigterm = () => ({ afterMs: 10_000, exitCode: 0 });
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    await stop(taskArn);
    await clock.advance(MINUTE_MS);
    expect((await see(taskArn)).containers![0]!.exitCode).toBe(0);
  });

  it('shows the exit code before the task is STOPPED', async () => {
    const { clock, fake, start, see } = bed();
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    fake.finish(taskArn, 3);
    expect(await see(taskArn)).toMatchObject({
      lastStatus: 'DEPROVISIONING',
      desiredStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [{ exitCode: 3 }],
    });
    await clock.advance(MINUTE_MS);
    expect((await see(taskArn)).lastStatus).toBe('STOPPED');
  });

  it('never runs when it is stopped before', async () => {
    const { clock, start, see, stop } = bed();
    const taskArn = await start();
    await stop(taskArn);
    await clock.advance(MINUTE_MS);
    const task = await see(taskArn);
    expect(task).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated' });
    expect(task.startedAt).toBeUndefined();
    expect(task.containers![0]!.exitCode).toBeUndefined();
  });

  it('is stopped once: a repeat changes nothing', async () => {
    const { clock, start, see, stop } = bed();
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    await stop(taskArn, 'first');
    await stop(taskArn, 'second');
    await clock.advance(MINUTE_MS);
    expect((await stop(taskArn, 'third')).task!.stoppedReason).toBe('first');
    expect((await see(taskArn)).stoppedReason).toBe('first');
  });

  it('is remembered for an hour after it stopped', async () => {
    const { clock, fake, start, list } = bed();
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    fake.finish(taskArn, 0);
    await clock.advance(HOUR_MS);
    expect(await list({ desiredStatus: 'STOPPED' })).toEqual([taskArn]);
    await clock.advance(MINUTE_MS);
    expect(await list({ desiredStatus: 'STOPPED' })).toEqual([]);
    expect(fake.tasks()).toEqual([]);
  });

  it('waits for a held start', async () => {
    const { clock, fake, start, see } = bed();
    fake.account.holdStarts = true;
    const taskArn = await start();
    await clock.advance(HOUR_MS);
    expect((await see(taskArn)).lastStatus).toBe('PROVISIONING');
    expect(() => fake.finish(taskArn, 0)).toThrow('nothing runs yet');
    fake.release(taskArn);
    await clock.advance(MINUTE_MS);
    expect((await see(taskArn)).lastStatus).toBe('RUNNING');
  });

  it('does not come back when it is released after a stop', async () => {
    const { clock, fake, start, see, stop } = bed();
    fake.account.holdStarts = true;
    const taskArn = await start();
    await stop(taskArn);
    fake.release(taskArn);
    await clock.advance(MINUTE_MS);
    expect((await see(taskArn)).lastStatus).toBe('STOPPED');
  });
});

/** Words and codes: "Stopped tasks error codes" of the developer guide, TaskStopCode of the SDK. */
describe('other ends of a task', () => {
  it('runs out of memory', async () => {
    const { clock, fake, start, see } = bed();
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    fake.outOfMemory(taskArn);
    const reason = 'OutOfMemoryError: Container killed due to memory usage';
    expect(await see(taskArn)).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ exitCode: 137, reason }],
    });
  });

  it('fails to start, without an exit code', async () => {
    const { clock, fake, start, see } = bed();
    const taskArn = await start();
    const reason = 'CannotPullContainerError: pull image manifest has been retried 1 time(s)';
    fake.failToStart(taskArn, reason);
    await clock.advance(MINUTE_MS);
    const task = await see(taskArn);
    expect(task).toMatchObject({ stopCode: 'TaskFailedToStart', stoppedReason: reason });
    expect(task.containers![0]!.exitCode).toBeUndefined();
  });

  it('is taken back from Spot, with SIGTERM', async () => {
    const { clock, fake, start, see } = bed();
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    fake.interruptSpot(taskArn);
    await clock.advance(MINUTE_MS);
    expect(await see(taskArn)).toMatchObject({
      stopCode: 'SpotInterruption',
      stoppedReason: 'Your Spot Task was interrupted.',
      containers: [{ exitCode: 143 }],
    });
  });

  it('loses its host, and its exit code', async () => {
    const { clock, fake, start, see } = bed();
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    fake.loseHost(taskArn);
    const task = await see(taskArn);
    expect(task.stopCode).toBe('TerminationNotice');
    expect(task.containers![0]!.exitCode).toBeUndefined();
  });

  it('exits during a stop: its code counts, the reason stays', async () => {
    const { clock, fake, start, see, stop } = bed();
    fake.account.onSigterm = () => ({ afterMs: Infinity, exitCode: 0 });
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    await stop(taskArn, 'enough');
    await clock.advance(5_000);
    fake.finish(taskArn, 76);
    expect(await see(taskArn)).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
      containers: [{ exitCode: 76 }],
    });
  });

  it('lists the sidecar of GuardDuty first, whose exit code says nothing', async () => {
    const { clock, fake, start, see } = bed({ guardDuty: true });
    const taskArn = await start();
    await clock.advance(MINUTE_MS);
    fake.finish(taskArn, 3);
    const { containers } = await see(taskArn);
    expect(containers!.map(({ exitCode }) => exitCode)).toEqual([0, 3]);
    expect(containers![0]!.name).toMatch(/^aws-guardduty-agent-/);
  });
});
