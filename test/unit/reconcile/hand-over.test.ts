/** Who may come in, and what is seen right before a job is offered. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTaskKey, type TaskKey } from '../../../launcher/driver.ts';
import type { Reconciler } from '../../../launcher/reconcile/reconciler.ts';
import { World } from './world.ts';

const KEY = key('r-RM_a-1');

function key(text: string): TaskKey {
  if (!isTaskKey(text)) throw new Error(`"${text}" is no task key`);
  return text;
}

describe('the hand-over', () => {
  let world: World;
  let launcher: Reconciler;
  beforeEach(async () => {
    world = new World();
    launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
  });
  afterEach(() => world.end());

  const admit = (task = KEY) => launcher.handOver.admit(task);
  const look = () => launcher.handOver.look(KEY, new AbortController().signal);

  it('lets in a task that the engine lists', () => {
    expect(admit()).toEqual({ answer: 'welcome' });
  });

  it('lets in a task whose launch got no answer', async () => {
    world.livekit.open('b');
    world.engine.down = true;
    await world.webhook(launcher, 'room_started', 'b');
    expect(admit(key('r-RM_b-1'))).toEqual({ answer: 'welcome' });
  });

  it('does not let in yet what is neither listed nor expected', () => {
    expect(admit(key('r-RM_a-2'))).toMatchObject({ answer: 'not-yet' });
    expect(admit(key('r-RM_b-1'))).toMatchObject({ answer: 'not-yet' });
  });

  it('turns away the task of a room that is over, and one that has ended', async () => {
    world.finish(KEY, 1);
    await world.settle();
    expect(admit()).toEqual({ answer: 'gone', reason: 'this task has ended' });
    world.livekit.close('a');
    await world.webhook(launcher, 'room_finished', 'a');
    expect(admit()).toMatchObject({ answer: 'gone', reason: 'the room is over' });
  });

  it('lets nobody in before the first list', async () => {
    world.livekit.down = true;
    const later = await world.launcher();
    expect(later.handOver.admit(KEY)).toMatchObject({ answer: 'not-yet' });
  });

  it('offers the job of a live room that nobody serves', async () => {
    const seen = await look();
    expect(seen).toMatchObject({
      decision: 'offer',
      job: { sid: 'RM_a', dispatchId: '', metadata: '' },
    });
  });

  it("hands on an explicit dispatch's metadata, else the room's own", async () => {
    world.livekit.open('a', 'RM_a', '{"room-launcher": {"metadata": "from the room"}}');
    expect(await look()).toMatchObject({ job: { metadata: 'from the room' } });
    world.livekit.dispatches.set('a', { dispatchId: 'AD_1', metadata: 'from the dispatch' });
    expect(await look()).toMatchObject({
      job: { dispatchId: 'AD_1', metadata: 'from the dispatch' },
    });
  });

  it('asks for the dispatch beside the room, and waits for it with a live one alone', async () => {
    const asked: string[] = [];
    world.livekit.dispatchOf = (name) => {
      asked.push(name);
      return new Promise(() => {});
    };
    world.livekit.close('a');
    expect(await look()).toMatchObject({ decision: 'wait', reason: 'its room is not listed' });
    expect(asked).toEqual(['a']);
  });

  it('waits when LiveKit does not say whether there is a dispatch', async () => {
    world.livekit.dispatchOf = () => Promise.reject(new Error('the dispatch service is away'));
    const reason = expect.stringContaining('the dispatch service is away');
    expect(await look()).toMatchObject({ decision: 'wait', reason });
    world.livekit.close('a');
    expect(await look()).toMatchObject({ decision: 'wait', reason: 'its room is not listed' });
  });

  it.each([
    '',
    'no json',
    '[]',
    'null',
    '{"room-launcher": 1}',
    '{"room-launcher":{"metadata":7}}',
  ])('takes room metadata %j for none of ours', async (metadata) => {
    world.livekit.open('a', 'RM_a', metadata);
    expect(await look()).toMatchObject({ decision: 'offer', job: { metadata: '' } });
  });

  it('offers nothing to a task whose agent is in the room already', async () => {
    world.livekit.joins('a', KEY);
    expect(await look()).toEqual({ decision: 'serving', sid: 'RM_a' });
  });

  it('waits while another agent is in the room', async () => {
    world.livekit.joins('a', null);
    expect(await look()).toMatchObject({ decision: 'wait' });
  });

  it('offers in place of an ended task that LiveKit still shows', async () => {
    world.finish(KEY, 137);
    await world.clock.advance(5_000);
    world.livekit.joins('a', KEY);
    const seen = await launcher.handOver.look(key('r-RM_a-2'), new AbortController().signal);
    expect(seen).toMatchObject({ decision: 'offer' });
  });

  it('waits while the room is not listed, LiveKit is away, or the name has another life', async () => {
    world.livekit.close('a');
    expect(await look()).toMatchObject({ decision: 'wait' });
    world.livekit.open('a', 'RM_a2');
    expect(await look()).toMatchObject({ decision: 'wait' });
    world.livekit.down = true;
    expect(await look()).toMatchObject({ decision: 'wait' });
  });

  it('says that the room is over once that is sure, and that an ended task is', async () => {
    world.livekit.close('a');
    await world.webhook(launcher, 'room_finished', 'a');
    expect(await look()).toEqual({ decision: 'gone', reason: 'the room is over' });
  });
});
