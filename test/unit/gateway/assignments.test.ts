import { afterEach, describe, expect, it } from 'vitest';
import { roomKey } from '../../../launcher/core/key.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';
import type { Worker } from '../../../launcher/gateway/worker.ts';
import { Assignments, REMEMBERED_MAX } from '../../../launcher/gateway/assignments.ts';
import type { ServerFrame } from '../../../launcher/gateway/wire.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { JOB_ID, KEY, RecordingLog, ScriptedHost } from './fixture.ts';

const clock = new FakeClock();
const ports = {
  host: new ScriptedHost(),
  mintToken: () => Promise.resolve('room-token'),
  taskLivekitUrl: 'wss://real.example',
  clock,
  log: new RecordingLog(),
};

function worker(jobId?: string, sent: ServerFrame[] = []): Worker {
  const send = (frame: ServerFrame) => void sent.push(frame);
  const registeredAtMs = clock.nowMs();
  return { id: 'AW_1', agentName: '', permissions: undefined, registeredAtMs, jobId, send };
}

afterEach(() => expect(clock.pending).toBe(0));

describe('what is remembered of tasks without a socket', () => {
  it('is the assignment, until the task is gone', () => {
    const all = new Assignments(ports);
    all.connect(KEY, worker(JOB_ID));
    all.disconnect(KEY);
    all.connect(KEY, worker());
    expect(all.get(KEY)?.state).toBe('assigned');
    all.disconnect(KEY);
    all.forget(KEY);
    all.connect(KEY, worker());
    expect(all.get(KEY)?.state).toBe('waiting');
    all.disconnect(KEY);
  });

  it('is the end, also of a task that never had a socket here', () => {
    const all = new Assignments(ports);
    const sent: ServerFrame[] = [];
    expect(all.end(KEY)).toBe(false);
    all.connect(KEY, worker(undefined, sent));
    expect(all.get(KEY)?.state).toBe('ended');
    expect(all.end(KEY)).toBe(true);
    expect(sent.map((frame) => frame.case)).toEqual(['termination', 'termination']);
    all.disconnect(KEY);
  });

  it('is nothing of a task that waits', () => {
    const all = new Assignments(ports);
    all.connect(KEY, worker());
    const before = all.get(KEY);
    all.disconnect(KEY);
    all.connect(KEY, worker());
    expect(all.get(KEY)).not.toBe(before);
    all.disconnect(KEY);
  });

  it('is bounded: the oldest is forgotten first', () => {
    const all = new Assignments(ports);
    for (let n = 0; n <= REMEMBERED_MAX; n++) all.end(roomKey(`RM_${n}` as RoomSid, 1));
    const [oldest, second] = [roomKey('RM_0' as RoomSid, 1), roomKey('RM_1' as RoomSid, 1)];
    for (const key of [oldest, second]) all.connect(key, worker());
    expect(all.get(oldest)?.state).toBe('waiting');
    expect(all.get(second)?.state).toBe('ended');
    for (const key of [oldest, second]) all.disconnect(key);
  });
});
