/** The room that a task may act on through the server API: its own, live under its name now. */
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { EndCause } from '../../../launcher/core/verdict.ts';
import { isTaskKey, type TaskKey } from '../../../launcher/driver.ts';
import type { Reconciler } from '../../../launcher/reconcile/reconciler.ts';
import { World } from './world.ts';

const KEY = key('r-RM_a-1');

function key(text: string): TaskKey {
  if (!isTaskKey(text)) throw new Error(`"${text}" is no task key`);
  return text;
}

describe('the room of a task', () => {
  let world: World;
  let launcher: Reconciler;
  beforeEach(async () => {
    world = new World();
    launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
  });
  afterEach(() => world.end());

  const roomOf = (of = KEY) => launcher.handOver.roomOf(of, new AbortController().signal);

  it('is the one of its key while that is live', async () => {
    expect(await roomOf()).toEqual({ answer: 'live', sid: 'RM_a', name: 'a' });
  });

  it('is over once it is not listed, or the name has another life, at that moment', async () => {
    world.livekit.close('a');
    expect(await roomOf()).toEqual({ answer: 'gone', reason: 'the room is over' });
    world.livekit.open('a', 'RM_a2');
    expect(await roomOf()).toEqual({ answer: 'gone', reason: 'the room is over' });
    await world.settle();
    expect(world.tasks()).toContain('r-RM_a2-1:live');
  });

  it('is not for a task that has ended, nor for one that nobody launched', async () => {
    world.finish(KEY, 1);
    await world.settle();
    expect(await roomOf()).toEqual({ answer: 'gone', reason: 'this task has ended' });
    expect(await roomOf(key('r-RM_a-7'))).toMatchObject({ answer: 'not-yet' });
    expect(await roomOf(key('r-RM_never-1'))).toMatchObject({ answer: 'not-yet' });
    expect(launcher.memory.tasks.has(key('r-RM_a-7'))).toBe(false);
  });

  it('is not for a standby, which has none', async () => {
    expect(await roomOf(key('s-default-1-12345678'))).not.toMatchObject({ answer: 'live' });
  });

  it('is not known while LiveKit does not answer, and its error is not told', async () => {
    world.livekit.down = true;
    const reason = 'LiveKit does not answer';
    expect(await roomOf()).toEqual({ answer: 'not-yet', reason });
  });

  const causes: Record<EndCause, boolean> = {
    operator: true,
    'max-lifetime': true,
    gone: true,
    lingering: true,
    left: true,
    'never-started': false,
    'never-joined': false,
    missing: false,
    surplus: false,
    unregistered: false,
    retired: true,
  };
  test.each(Object.entries(causes))('while the task is ended for: %s', async (cause, still) => {
    launcher.memory.noteEnding(KEY, cause as EndCause, 'why', world.clock.nowMs());
    const answer = still ? 'live' : 'gone';
    expect(await roomOf()).toMatchObject({ answer });
  });
});
