import { expect, test } from 'vitest';
import type { EventName, Fields } from '../../launcher/lib/log.ts';
import { StartUps } from '../../launcher/telemetry/start-ups.ts';

function startUps() {
  const seen = new StartUps();
  const tell = (atMs: number, event: EventName, fields: Fields) =>
    seen.listener({ atMs, event, level: 'info', fields });
  return { seen, tell };
}

test('a cold start: every step at its time, told twice or not', () => {
  const { seen, tell } = startUps();
  tell(100, 'webhook.receive', { sid: 'RM_1', webhook_event: 'room_started' });
  const id = { task: 'r-RM_1-1', sid: 'RM_1', attempt: 1 };
  tell(115, 'task.launch', { ...id, outcome: 'unknown', took_ms: 5 });
  tell(130, 'task.launch', { ...id, outcome: 'accepted', took_ms: 10 });
  tell(140, 'webhook.receive', { sid: 'RM_1', webhook_event: 'participant_joined' });
  tell(200, 'task.register', { task: 'r-RM_1-1' });
  tell(210, 'task.assign', { task: 'r-RM_1-1', sid: 'RM_1', outcome: 'assigned' });
  tell(250, 'task.active', { ...id, seen_by: 'webhook' });
  tell(300, 'task.register', { task: 'r-RM_1-1' });
  tell(310, 'task.assign', { task: 'r-RM_1-1', sid: 'RM_1', outcome: 'resumed' });
  tell(900, 'task.end', { ...id, verdict: 'served' });
  expect(seen.of('r-RM_1-1')).toEqual({
    sid: 'RM_1',
    attempt: 1,
    heardAtMs: 100,
    launchedAtMs: 120,
    acceptedAtMs: 130,
    registeredAtMs: 200,
    assignedAtMs: 210,
    activeAtMs: 250,
    endedAtMs: 900,
  });
});

test('a standby starts before its room is heard of', () => {
  const { seen, tell } = startUps();
  const task = 's-default-0-12345678';
  tell(10, 'task.launch', { task, profile: 'default', outcome: 'accepted', took_ms: 4 });
  tell(50, 'task.register', { task });
  expect(seen.of(task)).not.toHaveProperty('sid');
  tell(100, 'webhook.receive', { sid: 'RM_1', webhook_event: 'room_started' });
  tell(120, 'task.assign', { task, sid: 'RM_1', outcome: 'assigned' });
  expect(seen.of(task)).toMatchObject({
    sid: 'RM_1',
    launchedAtMs: 6,
    registeredAtMs: 50,
    heardAtMs: 100,
    assignedAtMs: 120,
  });
});

test('what does not belong to a start is left out, and old tasks are forgotten', () => {
  const { seen, tell } = startUps();
  tell(1, 'task.call', { task: 'r-RM_1-1' });
  tell(1, 'task.launch', { task: 'r-RM_1-1', outcome: 'refused' });
  tell(1, 'run.fail', { sid: 'RM_1' });
  expect(seen.of('r-RM_1-1')).toBeUndefined();
  for (let i = 1; i <= 5_001; i += 1) tell(i, 'task.register', { task: `r-RM_x-${i}` });
  expect(seen.of('r-RM_x-1')).toBeUndefined();
  expect(seen.of('r-RM_x-2')).toEqual({ registeredAtMs: 2 });
});
