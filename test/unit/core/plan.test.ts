/** The planner as a table: each row is one situation of a live room and what is done about it. */
import { describe, expect, it } from 'vitest';
import { roomKey, standbyKey } from '../../../launcher/core/key.ts';
import type { Memory } from '../../../launcher/core/memory.ts';
import { takeStandby } from '../../../launcher/core/standby-room.ts';
import type { EndCause } from '../../../launcher/core/verdict.ts';
import type { Phase } from '../../../launcher/driver.ts';
import type { LaunchTrouble, RunState } from '../../../launcher/core/remembered.ts';
import {
  agent,
  ended,
  NO_PROFILE,
  NOW,
  planLive,
  SID,
  START,
  story,
  task,
  type Scene,
} from './plan-world.ts';

interface Row {
  readonly name: string;
  readonly scene: Scene;
  readonly actions: readonly string[];
  readonly state?: RunState;
  readonly reason?: RegExp;
  /** From now; `null` for never. */
  readonly lookAgainInMs?: number | null;
  readonly needsFresh?: true;
}

const sighted = (memory: Memory) => void (memory.task(roomKey(SID, 1)).sighted = true);
const launched = (memory: Memory) => void (memory.task(roomKey(SID, 1)).launched = true);
const missing = (sinceMs: number, looks: number) => (memory: Memory) => {
  Object.assign(memory.task(roomKey(SID, 1)), {
    sighted: true,
    missing: { sinceMs, looks, blindMs: 0 },
  });
};
const trouble = (more: Partial<LaunchTrouble>) => (memory: Memory) => {
  memory.room(SID).trouble = {
    attempt: 1,
    outcome: 'refused',
    retry: 'same-key',
    pulling: false,
    detail: 'no room on the machine',
    count: 1,
    firstAtMs: NOW - 10_000,
    atMs: NOW - 10_000,
    ...more,
  };
};
const left = (reason: number, agoMs: number) => (memory: Memory) => {
  missing(NOW - agoMs, 9)(memory);
  memory.noteLeave(roomKey(SID, 1), reason, NOW - agoMs);
};
const ending = (cause: EndCause, agoMs: number, stopAskedAgoMs?: number) => {
  return (memory: Memory) => {
    memory.noteEnding(roomKey(SID, 1), cause, 'because', NOW - agoMs);
    const { ending: begun } = memory.task(roomKey(SID, 1));
    if (begun && stopAskedAgoMs !== undefined) begun.stopAskedAtMs = NOW - stopAskedAgoMs;
  };
};
const STANDBY = standbyKey({ profile: 'default', slot: 0 }, 0);
const standby = (phase: Phase, ageMs = 10_000) => {
  const sinceMs = NOW - ageMs;
  return task(1, phase, { key: STANDBY, createdAtMs: sinceMs, startedAtMs: sinceMs });
};
/** The room was offered the standby so long ago. */
const taken = (agoMs: number) => (memory: Memory) => {
  memory.firstPassAtMs = NOW - 90_000_000;
  takeStandby(memory, STANDBY, SID, NOW - agoMs);
};
const runningFor = (ms: number, runner: boolean | null = true) =>
  task(1, 'running', { createdAtMs: NOW - ms, startedAtMs: NOW - ms, runner });

const ROWS: readonly Row[] = [
  // ListParticipants failed: the room is left out.
  {
    name: 'participants unread: nothing',
    scene: { agent: 'unread' },
    actions: [],
    lookAgainInMs: 5_000,
  },
  {
    name: 'participants unread, task missing for long: still nothing',
    scene: { agent: 'unread', tasks: [runningFor(900_000)] },
    actions: [],
  },

  // No task, nobody present.
  { name: 'new room: first attempt', scene: {}, actions: ['launch 1'], state: 'launching' },
  {
    name: 'new room, stale task list: launching is safe',
    scene: { stale: true },
    actions: ['launch 1'],
  },
  {
    name: 'a stranger with our identity is present: nothing',
    scene: { agent: { taskKey: null } },
    actions: [],
    reason: /unknown origin/,
    lookAgainInMs: 5_000,
  },
  {
    name: 'an agent whose task is not listed is present: nothing',
    scene: { agent: agent(1) },
    actions: [],
    reason: /lists no live task/,
  },
  {
    name: 'an earlier attempt was answered, and is not listed: the next number',
    scene: { remembers: (m) => void (m.room(SID).highestAttempt = 3) },
    actions: ['launch 4'],
  },

  // Several live tasks.
  {
    name: 'two live: the present one stays',
    scene: { tasks: [task(1, 'running'), task(2, 'running')], agent: agent(2) },
    actions: ['end 1 (surplus)'],
  },
  {
    name: 'two live, none present: the lowest attempt stays',
    scene: { tasks: [task(2, 'running'), task(1, 'running')] },
    actions: ['end 2 (surplus)'],
  },
  {
    name: 'attempt 10 is higher than attempt 9',
    scene: { tasks: [task(10, 'running'), task(9, 'running')] },
    actions: ['end 10 (surplus)'],
  },
  {
    name: 'two live on a stale list: look first',
    scene: { tasks: [task(1, 'running'), task(2, 'running')], stale: true },
    actions: [],
    needsFresh: true,
  },
  {
    name: 'the lowest one is being ended: the other stays',
    scene: {
      tasks: [task(1, 'running'), task(2, 'running')],
      remembers: ending('surplus', 1_000, 1_000),
    },
    actions: [],
  },

  // Starting.
  {
    name: 'starting, launched by this process: wait',
    scene: { tasks: [task(1, 'starting')], remembers: launched },
    actions: [],
    state: 'starting',
    lookAgainInMs: 590_000,
  },
  {
    name: 'starting, launched by another process: repeat its launch',
    scene: { tasks: [task(1, 'starting')] },
    actions: ['launch 1'],
    reason: /repeated/,
  },
  {
    name: 'starting past the start deadline: failed',
    scene: { tasks: [task(1, 'starting', { createdAtMs: NOW - 600_000 })], remembers: launched },
    actions: ['end 1 (never-started)'],
  },

  // Running, not in the room yet.
  {
    name: 'running, not in the room yet: wait',
    scene: { tasks: [task(1, 'running')] },
    actions: [],
    state: 'running',
    lookAgainInMs: 5_000,
  },
  {
    name: 'never in the room by the join deadline: failed',
    scene: { tasks: [runningFor(60_000)] },
    actions: ['end 1 (never-joined)'],
  },
  {
    name: 'the same on a stale list: look first',
    scene: { tasks: [runningFor(60_000)], stale: true },
    actions: [],
    needsFresh: true,
  },
  {
    name: 'the join deadline counts from the first pass after a restart',
    scene: { tasks: [runningFor(900_000)], remembers: (m) => void (m.firstPassAtMs = NOW - 1_000) },
    actions: [],
    state: 'running',
  },
  {
    name: 'time without LiveKit does not count towards the join deadline',
    scene: {
      tasks: [runningFor(70_000)],
      remembers: (m) => {
        m.task(roomKey(SID, 1)).running = { atMs: NOW - 70_000, blindMs: 0 };
        m.noteLiveKit(false, NOW - 50_000);
        m.noteLiveKit(true, NOW - 20_000);
      },
    },
    actions: [],
    state: 'running',
  },

  // In the room.
  {
    name: 'in the room: leave it',
    scene: { tasks: [runningFor(900_000)], agent: agent(1), remembers: sighted },
    actions: [],
    state: 'serving',
  },
  {
    name: 'past its lifetime: ended as served',
    scene: {
      tasks: [runningFor(3_600_000)],
      agent: agent(1),
      profile: { maxLifetimeMs: 3_600_000 },
      remembers: sighted,
    },
    actions: ['end 1 (max-lifetime)'],
  },
  {
    name: 'missing for 30 s over two looks: lost',
    scene: { tasks: [runningFor(900_000)], remembers: missing(NOW - 30_000, 2) },
    actions: ['end 1 (missing)'],
  },
  {
    name: 'missing for 29 s: wait',
    scene: { tasks: [runningFor(900_000)], remembers: missing(NOW - 29_000, 9) },
    actions: [],
    lookAgainInMs: 1_000,
  },
  {
    name: 'missing for long, one look only: look again',
    scene: { tasks: [runningFor(900_000)], remembers: missing(NOW - 90_000, 1) },
    actions: [],
    lookAgainInMs: 5_000,
  },
  {
    name: 'left the room: its shutdown timeout runs',
    scene: {
      tasks: [runningFor(900_000)],
      remembers: (m) => {
        missing(NOW - 40_000, 9)(m);
        m.noteLeave(roomKey(SID, 1), 1, NOW - 40_000);
      },
    },
    actions: [],
    state: 'ending',
    reason: /shutting down/,
  },
  {
    name: 'left the room and lingers: stopped',
    scene: {
      tasks: [runningFor(900_000)],
      remembers: (m) => {
        missing(NOW - 60_000, 9)(m);
        m.noteLeave(roomKey(SID, 1), 1, NOW - 60_000);
      },
    },
    actions: ['end 1 (lingering)'],
  },
  {
    name: 'an operator asked for its end',
    scene: {
      tasks: [runningFor(9_000)],
      agent: agent(1),
      remembers: (m) => void (m.task(roomKey(SID, 1)).stopAsked = true),
    },
    actions: ['end 1 (operator)'],
  },
  {
    name: "an operator ended the room's run while its launch was under way",
    scene: { tasks: [task(1, 'starting')], remembers: (m) => void (m.room(SID).stopped = true) },
    actions: ['end 1 (operator)'],
  },

  // Ends that were begun.
  {
    name: 'JobTermination sent just now: wait for the second',
    scene: { tasks: [task(1, 'running')], remembers: ending('operator', 400) },
    actions: [],
    state: 'ending',
    lookAgainInMs: 600,
  },
  {
    name: 'a second later it still runs: SIGTERM',
    scene: { tasks: [task(1, 'running')], remembers: ending('operator', 1_000) },
    actions: ['stop 1 (60000 ms)'],
  },
  {
    name: 'a stop that did not get through: again at once',
    scene: { tasks: [task(1, 'running')], remembers: ending('missing', 5_000) },
    actions: ['stop 1 (60000 ms)'],
  },
  {
    name: 'stopped, within its grace: wait',
    scene: { tasks: [task(1, 'stopping')], remembers: ending('missing', 30_000, 30_000) },
    actions: [],
    state: 'ending',
  },
  {
    name: 'stopped and alive 10 s after its grace: killed',
    scene: { tasks: [task(1, 'stopping')], remembers: ending('missing', 70_000, 70_000) },
    actions: ['stop 1 (0 ms)'],
  },
  {
    name: 'a failed task that is still ending: no next attempt yet',
    scene: { tasks: [task(1, 'stopping')], remembers: ending('missing', 2_000, 2_000) },
    actions: [],
  },

  // Workers that are not ours: they never exit by themselves, and their exits say nothing.
  ...[false, null].flatMap((runner): Row[] => [
    {
      name: `not ours (${runner}), its agent left: ended at once, as served`,
      scene: { tasks: [runningFor(900_000, runner)], remembers: left(1, 100) },
      actions: ['end 1 (left)'],
      reason: /its agent left the room \(reason 1\)/,
      lookAgainInMs: 0,
    },
    {
      name: `not ours (${runner}), its agent was removed: the same`,
      scene: { tasks: [runningFor(900_000, runner)], remembers: left(4, 100) },
      actions: ['end 1 (left)'],
    },
  ]),
  {
    name: 'not ours, left on a stale list: look first',
    scene: { tasks: [runningFor(900_000, false)], stale: true, remembers: left(1, 100) },
    actions: [],
    needsFresh: true,
  },
  {
    name: 'not ours, left before anybody saw it in the room: left all the same',
    scene: {
      tasks: [runningFor(20_000, false)],
      remembers: (m) => m.noteLeave(roomKey(SID, 1), 1, NOW - 100),
    },
    actions: ['end 1 (left)'],
  },
  {
    name: 'not ours, left and was seen again: it serves',
    scene: {
      tasks: [runningFor(900_000, false)],
      agent: agent(1),
      remembers: (m) => {
        left(1, 100)(m);
        m.noteAgent(SID, roomKey(SID, 1), [roomKey(SID, 1)], NOW, NOW);
      },
    },
    actions: [],
    state: 'serving',
  },
  ...[0, 2, 3, 5, 9, 10, 14].flatMap((reason): Row[] => [
    {
      name: `not ours, gone by reason ${reason}: it may come back`,
      scene: { tasks: [runningFor(900_000, false)], remembers: left(reason, 29_000) },
      actions: [],
      state: 'running',
      reason: /missing/,
    },
    {
      name: `not ours, gone by reason ${reason} for 30 s: lost`,
      scene: { tasks: [runningFor(900_000, false)], remembers: left(reason, 30_000) },
      actions: ['end 1 (missing)'],
    },
  ]),
  {
    name: 'not ours, its JobTermination sent: SIGTERM at once',
    scene: { tasks: [runningFor(900_000, false)], remembers: ending('operator', 0) },
    actions: ['stop 1 (60000 ms)'],
  },
  {
    name: 'not ours and just started: SIGTERM when its first ten seconds are over',
    scene: { tasks: [runningFor(4_000, false)], remembers: ending('left', 1_000) },
    actions: [],
    state: 'ending',
    lookAgainInMs: 6_000,
  },
  {
    name: "not ours, by an engine's clock that runs ahead: ten seconds at most",
    scene: { tasks: [runningFor(-90_000, false)], remembers: ending('left', 1_000) },
    actions: [],
    lookAgainInMs: 9_000,
  },
  {
    name: 'not ours and lost: ten seconds for its job',
    scene: { tasks: [runningFor(900_000, false)], remembers: ending('missing', 9_000) },
    actions: [],
    lookAgainInMs: 1_000,
  },
  {
    name: 'not ours and lost, ten seconds later: killed',
    scene: { tasks: [runningFor(900_000, false)], remembers: ending('missing', 10_000) },
    actions: ['stop 1 (0 ms)'],
  },
  {
    name: 'not ours and surplus: ten seconds, then killed',
    scene: {
      tasks: [runningFor(900_000, false), task(2, 'running', { runner: false })],
      agent: agent(2),
      remembers: ending('surplus', 10_000),
    },
    actions: ['stop 1 (0 ms)'],
  },
  {
    name: 'not ours, left and ended: served, whatever its exit',
    scene: {
      tasks: [{ ...ended(1, 137), runner: false }],
      remembers: ending('left', 200_000, 200_000),
    },
    actions: ['judge 1 served'],
    state: 'served',
  },

  // All attempts ended.
  {
    name: 'exit 0: served',
    scene: { tasks: [ended(1, 0)] },
    actions: ['judge 1 served'],
    state: 'served',
    lookAgainInMs: null,
  },
  {
    name: 'exit 1: the next attempt',
    scene: { tasks: [ended(1, 1)] },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'exit 1 just now: after a backoff',
    scene: { tasks: [ended(1, 1, 0)] },
    actions: ['judge 1 failed'],
    state: 'waiting',
    reason: /backoff/,
  },
  {
    name: "an engine's clock that runs ahead holds nothing back",
    scene: { tasks: [ended(1, 1, -3_600_000)], nowMs: NOW },
    actions: ['judge 1 failed'],
    reason: /backoff/,
  },
  {
    name: 'exit 64: failed at once',
    scene: { tasks: [ended(1, 64)] },
    actions: ['judge 1 fatal', 'fail'],
    state: 'failed',
  },
  {
    name: 'exit 75: the next attempt',
    scene: { tasks: [ended(1, 75)] },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'exit 143: somebody else stopped it',
    scene: { tasks: [ended(1, 143)] },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'exit 137: killed',
    scene: { tasks: [ended(1, 137)] },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'exit code lost: not success',
    scene: { tasks: [ended(1, null)] },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'the one that ended last decides',
    scene: { tasks: [ended(1, 0, 50_000), ended(2, 1, 90_000)] },
    actions: ['judge 1 served', 'judge 2 failed'],
    state: 'served',
  },
  {
    name: 'retries used up: failed',
    scene: { tasks: [ended(1, 1), ended(2, 1), ended(3, 75), ended(4, 137, 90_000)] },
    actions: ['judge 1 failed', 'judge 2 failed', 'judge 3 failed', 'judge 4 failed', 'fail'],
    state: 'failed',
    reason: /4 of 4 attempts failed/,
  },
  {
    name: 'retries 0: one attempt',
    scene: { tasks: [ended(1, 1)], profile: { retries: 0 } },
    actions: ['judge 1 failed', 'fail'],
  },
  {
    name: 'a profile that launches nothing: nothing, for good',
    scene: { profile: { name: 'skip', launch: false } },
    actions: [],
    state: 'skipped',
    reason: /profile skip launches nothing/,
    lookAgainInMs: null,
  },
  {
    name: 'no profile: nothing after a failure either',
    scene: { tasks: [ended(1, 1)], profile: NO_PROFILE },
    actions: ['judge 1 failed'],
    state: 'skipped',
    reason: /no profile matches/,
  },
  {
    name: 'no profile: a task that runs is left',
    scene: {
      tasks: [task(1, 'running')],
      agent: agent(1),
      profile: NO_PROFILE,
      remembers: sighted,
    },
    actions: [],
    state: 'serving',
  },
  {
    name: 'no profile: a task that runs is held to its limits',
    scene: { tasks: [runningFor(61_000)], profile: NO_PROFILE },
    actions: ['end 1 (never-joined)'],
  },
  {
    name: 'no profile: the launch of a task on its way is not repeated',
    scene: { tasks: [task(1, 'starting')], profile: NO_PROFILE },
    actions: [],
    state: 'starting',
  },
  {
    name: 'displaced is never counted',
    scene: { tasks: [ended(1, 76, 99_000), ended(2, 1)], profile: { retries: 1 } },
    actions: ['judge 1 displaced', 'judge 2 failed', 'launch 3'],
  },
  {
    name: 'displaced, and the newcomer is in the room: nothing',
    scene: { tasks: [ended(1, 76)], agent: { taskKey: null } },
    actions: ['judge 1 displaced'],
    reason: /unknown origin/,
  },
  {
    name: 'the ghost of an ended task does not hold the room',
    scene: { tasks: [ended(1, 137)], agent: agent(1) },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'a task of an image that is not ours: its end cannot be read',
    scene: { tasks: [{ ...ended(1, 0), runner: false }] },
    actions: ['judge 1 unreadable', 'launch 2'],
  },
  {
    name: 'failed for good: nothing more',
    scene: { remembers: (m) => void (m.room(SID).failed = { atMs: START, reason: 'no' }) },
    actions: [],
    state: 'failed',
    lookAgainInMs: null,
  },
  {
    name: 'stopped by an operator: nothing more',
    scene: { tasks: [ended(1, 137)], remembers: (m) => void (m.room(SID).stopped = true) },
    actions: ['judge 1 failed'],
    state: 'served',
  },
  {
    name: "an operator's stop that ended in SIGKILL is served all the same",
    scene: { tasks: [ended(1, 137)], remembers: ending('operator', 200_000) },
    actions: ['judge 1 served'],
    state: 'served',
  },
  {
    name: 'a surplus task that exits 143 is displaced',
    scene: { tasks: [ended(1, 143)], remembers: ending('surplus', 200_000) },
    actions: ['judge 1 displaced', 'launch 2'],
  },
  {
    name: 'an end that the engine forgot is remembered',
    scene: {
      remembers: (m) => {
        m.noteTasks([ended(1, 0)], NOW);
        m.task(roomKey(SID, 1)).judged = {
          verdict: 'served',
          reason: 'the job ended',
          endedAtMs: NOW - 9,
          atMs: NOW - 9,
        };
      },
    },
    actions: [],
    state: 'served',
  },
  {
    name: 'a task that vanished counts as failed',
    scene: {
      remembers: (m) => {
        m.noteTasks([task(1, 'running')], NOW);
        m.noteVanished([roomKey(SID, 1)], NOW - 90_000);
      },
    },
    actions: ['launch 2'],
    reason: /vanished/,
  },

  // Launches that brought no task.
  {
    name: 'refused, same key: again after its backoff',
    scene: { remembers: trouble({}) },
    actions: ['launch 1'],
    reason: /no room on the machine/,
  },
  {
    name: 'refused just now: wait',
    scene: { remembers: trouble({ atMs: NOW }) },
    actions: [],
    state: 'waiting',
  },
  {
    name: 'refused, next key',
    scene: { remembers: trouble({ retry: 'next-key' }) },
    actions: ['launch 2'],
  },
  {
    name: 'refused for good: failed at once',
    scene: { remembers: trouble({ retry: 'never', detail: 'no such agent file' }) },
    actions: ['fail'],
    state: 'failed',
    reason: /no such agent file/,
  },
  {
    name: 'while an image is fetched no deadline counts',
    scene: {
      remembers: trouble({ pulling: true, count: 0, firstAtMs: NOW - 900_000, atMs: NOW - 4_000 }),
    },
    actions: ['launch 1'],
  },
  {
    name: 'refusals end at the start deadline',
    scene: { remembers: trouble({ count: 30, firstAtMs: NOW - 600_000, atMs: NOW }) },
    actions: ['fail'],
  },
  {
    name: 'not without a last try, whatever the backoff',
    scene: { remembers: trouble({ count: 30, firstAtMs: NOW - 600_000, atMs: NOW - 1_000 }) },
    actions: ['launch 1'],
  },
  {
    name: 'answer lost: the same key, however often',
    scene: {
      remembers: trouble({
        outcome: 'unknown',
        count: 40,
        firstAtMs: START - 9e6,
        atMs: NOW - 40_000,
      }),
    },
    actions: ['launch 1'],
  },
  // Standbys.
  {
    name: 'a standby waits: it is offered the room',
    scene: { standby: standby('running') },
    actions: [`assign ${STANDBY}`],
    state: 'launching',
  },
  {
    name: 'also instead of a launch that was refused',
    scene: { standby: standby('running'), remembers: trouble({ atMs: NOW }) },
    actions: [`assign ${STANDBY}`],
  },
  {
    name: 'not beside a launch without an answer: there may be a task',
    scene: { standby: standby('running'), remembers: trouble({ outcome: 'unknown', atMs: NOW }) },
    actions: [],
    state: 'waiting',
  },
  {
    name: 'not for a retry',
    scene: { standby: standby('running'), tasks: [ended(1, 1)] },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'not while somebody is in the room',
    scene: { standby: standby('running'), agent: agent(1) },
    actions: [],
  },
  {
    name: "the room's standby has the join deadline from its offer on, however long it ran before",
    scene: { tasks: [standby('running', 900_000)], remembers: taken(59_000) },
    actions: [],
    state: 'running',
    lookAgainInMs: 1_000,
  },
  {
    name: 'and fails then',
    scene: { tasks: [standby('running', 900_000)], remembers: taken(60_000) },
    actions: ['end 1 (never-joined)'],
  },
  {
    name: 'its lifetime counts from then, too',
    scene: {
      tasks: [standby('running', 90_000_000)],
      agent: { taskKey: STANDBY },
      remembers: (m) => {
        taken(86_399_000)(m);
        m.task(STANDBY).sighted = true;
      },
    },
    actions: [],
    state: 'serving',
    lookAgainInMs: 1_000,
  },
  {
    name: 'a standby that failed was the first launch of the run',
    scene: {
      tasks: [{ ...ended(1, 1), key: STANDBY }],
      remembers: (m) => {
        taken(200_000)(m);
        m.room(SID).highestAttempt = 1;
      },
    },
    actions: ['judge 1 failed', 'launch 2'],
  },
  {
    name: 'a standby shows in a room that was launched for: it stays',
    scene: {
      tasks: [task(1, 'running'), standby('running', 900_000)],
      agent: { taskKey: STANDBY },
      remembers: taken(1_000),
    },
    actions: ['end 1 (surplus)'],
  },
  {
    name: 'refusals count as no retry',
    scene: {
      tasks: [ended(1, 1)],
      profile: { retries: 1 },
      remembers: trouble({ attempt: 2, count: 9, atMs: NOW - 40_000 }),
    },
    actions: ['judge 1 failed', 'launch 2'],
  },
];

describe('a live room', () => {
  it.each(ROWS)('$name', (row) => {
    const plan = planLive(row.scene);
    expect(story(plan)).toEqual(row.actions);
    if (row.state) expect(plan.state).toBe(row.state);
    if (row.reason) expect(plan.reason).toMatch(row.reason);
    if (row.lookAgainInMs !== undefined) {
      const expected = row.lookAgainInMs === null ? null : NOW + row.lookAgainInMs;
      expect(plan.lookAgainAtMs).toBe(expected);
    }
    expect(plan.needsFreshTasks).toBe(row.needsFresh);
    expect(plan.reason).not.toBe('');
  });
});
