/** The warm pool's plan as a table: each row is one situation of its standbys and what is done. */
import { describe, expect, it } from 'vitest';
import type { KeyedTask } from '../../../launcher/core/action.ts';
import type { Profile } from '../../../launcher/core/desired.ts';
import { parseStandbyKey, standbyKey } from '../../../launcher/core/key.ts';
import { Memory } from '../../../launcher/core/memory.ts';
import { isReady, planPool, type PoolAction } from '../../../launcher/core/plan-pool.ts';
import type { TaskMemory } from '../../../launcher/core/remembered.ts';
import { takeStandby } from '../../../launcher/core/standby-room.ts';
import type { StandbyMemory } from '../../../launcher/core/standbys.ts';
import type { Phase, TaskId, TaskKey } from '../../../launcher/driver.ts';
import { NO_PROFILE, NOW, PROFILE, ROOM, SID, START } from './plan-world.ts';

interface One {
  readonly slot?: number;
  readonly profile?: string;
  /** False: another launcher's. */
  readonly made?: boolean;
  /** Null: no list shows it. */
  readonly phase?: Phase | null;
  readonly runner?: boolean | null;
  readonly seenAgoMs?: number;
  /** Its worker registered then, and has been here since. */
  readonly lineAgoMs?: number;
  readonly code?: number;
  readonly remembers?: (known: StandbyMemory, task: TaskMemory, memory: Memory) => void;
}

interface Row {
  readonly name: string;
  readonly standbys?: readonly One[];
  readonly profile?: Partial<Profile>;
  readonly stale?: true;
  /** Failures in a row of the profile's standbys, the newest so long ago. */
  readonly failures?: { readonly count: number; readonly agoMs: number };
  readonly remembers?: (memory: Memory) => void;
  readonly actions: readonly string[];
  /** From now; null for never. */
  readonly lookAgainInMs?: number | null;
  readonly needsFresh?: true;
}

/** Longer than any backoff, shorter than what a failure is remembered for. */
const LONG_AGO_MS = 60_000;
const NO_FAILURES = { count: 0, agoMs: 0 };
const waiting = (slot = 0): One => ({ slot, lineAgoMs: 9_000 });
const joinedAgo = (agoMs: number) => (_known: StandbyMemory, task: TaskMemory) => {
  task.running = { atMs: NOW - agoMs, blindMs: 0 };
};

const ROWS: readonly Row[] = [
  // What is missing.
  {
    name: 'no standbys wanted: nothing',
    profile: { standby: 0 },
    actions: [],
    lookAgainInMs: null,
  },
  {
    name: 'none there: all at once',
    profile: { standby: 3 },
    actions: ['launch 0', 'launch 1', 'launch 2'],
  },
  { name: 'one of two there: the other slot', standbys: [waiting(1)], actions: ['launch 0'] },
  { name: 'all there: nothing', standbys: [waiting(0), waiting(1)], actions: [] },
  { name: 'a profile that launches nothing', profile: { launch: false }, actions: [] },
  {
    name: 'another profile than theirs',
    standbys: [{ ...waiting(), profile: 'gone' }],
    actions: ['launch 0', 'launch 1'],
  },
  {
    name: 'a launch under way holds its place',
    standbys: [{ phase: null }, waiting(1)],
    actions: [],
  },
  {
    name: 'one on its way holds its place',
    standbys: [{ phase: 'starting' }, waiting(1)],
    actions: [],
  },
  {
    name: 'one that a room was offered holds its place',
    standbys: [waiting(1)],
    remembers: (memory) => offered(memory),
    actions: [],
  },
  {
    name: 'so does one whose agent is about to join',
    standbys: [waiting(1)],
    remembers: (memory) => joining(memory, 1_999),
    actions: [],
  },
  {
    name: 'for two seconds',
    standbys: [waiting(1)],
    remembers: (memory) => joining(memory, 2_000),
    actions: ['launch 0'],
  },
  {
    name: 'one whose agent is in its room does not',
    standbys: [waiting(1)],
    remembers: (memory) => void (joining(memory, 0).activeSaid = true),
    actions: ['launch 0'],
  },
  {
    name: 'nor does one that ended before it took its room',
    standbys: [waiting(1)],
    remembers: (memory) => {
      const judgement = { verdict: 'failed', reason: 'exit 1' } as const;
      memory.noteEnd(offered(memory), judgement, NOW, NOW);
    },
    actions: ['launch 0'],
  },
  {
    name: 'nor one that is ended for its room',
    standbys: [waiting(1)],
    remembers: (memory) => memory.noteEnding(offered(memory), 'never-joined', 'late', NOW),
    actions: ['launch 0'],
  },

  // Failures.
  {
    name: 'a first failure may be a kill: again at once',
    failures: { count: 1, agoMs: 0 },
    actions: ['launch 0'],
  },
  { name: 'the second waits for its backoff', failures: { count: 2, agoMs: 0 }, actions: [] },
  { name: 'then one at a time', failures: { count: 2, agoMs: LONG_AGO_MS }, actions: ['launch 0'] },
  {
    name: 'failures of long ago count no more',
    failures: { count: 9, agoMs: 300_000 },
    actions: ['launch 0', 'launch 1'],
  },
  {
    name: 'a launch without an answer: the same key again',
    standbys: [unanswered(), waiting(1)],
    failures: { count: 1, agoMs: 0 },
    actions: ['repeat 0'],
  },
  {
    name: 'after its backoff',
    standbys: [unanswered(), waiting(1)],
    failures: { count: 5, agoMs: 0 },
    actions: [],
  },

  // Those that this process made.
  {
    name: 'not running by the start deadline: ended, replaced',
    standbys: [{ phase: 'starting', seenAgoMs: 600_000 }, waiting(1)],
    actions: ['end 0 (unregistered)', 'launch 0'],
  },
  {
    name: 'not registered by the join deadline',
    standbys: [{ remembers: joinedAgo(60_000) }, waiting(1)],
    actions: ['end 0 (unregistered)', 'launch 0'],
  },
  {
    name: 'not registered yet: looked at again then',
    standbys: [{ remembers: joinedAgo(50_000) }, waiting(1)],
    actions: [],
    lookAgainInMs: 10_000,
  },
  {
    name: 'its line broke: the join deadline anew',
    standbys: [
      {
        remembers: (known, task) => {
          joinedAgo(900_000)(known, task);
          known.lineLostAtMs = NOW - 59_000;
        },
      },
      waiting(1),
    ],
    actions: [],
    lookAgainInMs: 1_000,
  },
  {
    name: 'a foreign worker is ready a while after it has registered: looked at then',
    standbys: [{ lineAgoMs: 1_000, runner: false }, waiting(1)],
    actions: [],
    lookAgainInMs: 4_000,
  },
  {
    name: 'too old without a room: replaced',
    standbys: [{ lineAgoMs: 5_000, seenAgoMs: 86_400_000 }, waiting(1)],
    actions: ['end 0 (retired)', 'launch 0'],
  },
  {
    name: 'spent: replaced',
    standbys: [
      { ...waiting(), remembers: (known) => void (known.spent = 'no answer') },
      waiting(1),
    ],
    actions: ['end 0 (retired)', 'launch 0'],
  },
  {
    name: "an operator's stop: replaced",
    standbys: [{ ...waiting(), remembers: (_, task) => void (task.stopAsked = true) }, waiting(1)],
    actions: ['end 0 (retired)', 'launch 0'],
  },
  {
    name: 'after a kill, one that is on its way holds up nothing',
    profile: { standby: 3 },
    standbys: [{ phase: 'starting', slot: 0 }],
    failures: { count: 1, agoMs: LONG_AGO_MS },
    actions: ['launch 1'],
  },
  {
    name: 'after failures in a row, one that has not come up yet is waited for',
    profile: { standby: 3 },
    standbys: [{ phase: 'running', slot: 0, remembers: joinedAgo(0) }],
    failures: { count: 2, agoMs: LONG_AGO_MS },
    actions: [],
  },
  {
    name: 'after failures in a row, one that has come up lets the next one go',
    profile: { standby: 3 },
    standbys: [waiting(0)],
    failures: { count: 2, agoMs: LONG_AGO_MS },
    actions: ['launch 1'],
  },
  {
    name: 'ends rest on a new list',
    standbys: [
      { ...waiting(), remembers: (known) => void (known.spent = 'no answer') },
      waiting(1),
    ],
    stale: true,
    actions: ['launch 0'],
    needsFresh: true,
  },
  {
    name: 'being ended: SIGTERM a second after its JobTermination, and its place is free',
    standbys: [{ ...waiting(), remembers: ending(1_000) }, waiting(1)],
    actions: ['stop 0 (60000 ms)', 'launch 0'],
  },
  {
    name: 'a stop rests on a new list too',
    standbys: [{ ...waiting(), remembers: ending(1_000) }, waiting(1)],
    stale: true,
    actions: ['launch 0'],
    needsFresh: true,
  },
  {
    name: 'the engine stops it: its place is free',
    standbys: [{ phase: 'stopping' }, waiting(1)],
    actions: ['launch 0'],
    lookAgainInMs: 5_000,
  },

  // Ends.
  {
    name: 'ended by itself: judged, kept for ten minutes',
    standbys: [{ phase: 'ended', code: 1 }, waiting(1)],
    actions: ['judge 0 failed', 'launch 0'],
    lookAgainInMs: 600_000,
  },
  {
    name: 'and removed then',
    standbys: [{ phase: 'ended', code: 1, remembers: judged(600_000) }, waiting(1)],
    actions: ['remove 0', 'launch 0'],
  },
  {
    name: 'once: an engine may list it on',
    standbys: [
      {
        phase: 'ended',
        remembers: (known, task) => {
          judged(900_000)(known, task);
          task.removed = true;
        },
      },
      waiting(1),
    ],
    actions: ['launch 0'],
  },
  {
    name: 'of one that was sent away nothing is kept',
    standbys: [{ phase: 'ended', code: 0, remembers: ending(2_000) }, waiting(1)],
    actions: ['judge 0 served', 'remove 0', 'launch 0'],
  },

  // Another launcher's.
  {
    name: "another's counts for nothing, and is left alone until the join deadline",
    standbys: [{ made: false, lineAgoMs: 59_000 }],
    actions: ['launch 0', 'launch 1'],
    lookAgainInMs: 1_000,
  },
  {
    name: "another's, registered here, that no room shows: retired",
    standbys: [{ made: false, slot: 7, lineAgoMs: 60_000 }, waiting(0), waiting(1)],
    remembers: readAgo(0),
    actions: ['end 7 (retired)'],
  },
  {
    name: 'not before a list of rooms was read after its deadline',
    standbys: [{ made: false, slot: 7, lineAgoMs: 60_001 }, waiting(0), waiting(1)],
    remembers: readAgo(2),
    actions: [],
    lookAgainInMs: 5_000,
  },
  {
    name: 'nor before everybody in every room was',
    standbys: [{ made: false, slot: 7, lineAgoMs: 60_000 }, waiting(0), waiting(1)],
    remembers: (memory) => {
      readAgo(0)(memory);
      memory.room(SID).lookedAtMs = NOW - 1;
    },
    actions: [],
  },
  {
    name: 'nor while a room shows it',
    standbys: [
      {
        made: false,
        slot: 7,
        lineAgoMs: 60_000,
        remembers: (known) => void (known.shownAtMs = NOW - 1_000),
      },
      waiting(0),
      waiting(1),
    ],
    remembers: readAgo(0),
    actions: [],
    lookAgainInMs: 59_000,
  },
  {
    name: "another's that holds no line here: not before the start deadline after the first pass",
    standbys: [{ made: false, slot: 7, seenAgoMs: 900_000 }, waiting(0), waiting(1)],
    remembers: readAgo(0),
    actions: [],
    lookAgainInMs: START + 600_000 - NOW,
  },
  {
    name: 'retired then',
    standbys: [{ made: false, slot: 7, seenAgoMs: 900_000 }, waiting(0), waiting(1)],
    remembers: (memory) => {
      memory.firstPassAtMs = NOW - 600_000;
      readAgo(0)(memory);
    },
    actions: ['end 7 (retired)'],
  },
  {
    name: 'one that two rooms claim: only when its time is over',
    standbys: [
      {
        made: false,
        slot: 7,
        seenAgoMs: 900_000,
        remembers: (known) => void (known.contested = true),
      },
      waiting(0),
      waiting(1),
    ],
    remembers: readAgo(0),
    actions: [],
    lookAgainInMs: 86_400_000 - 900_000,
  },
  {
    name: 'of a profile that is gone: by the limits of none',
    standbys: [
      { made: false, profile: 'gone', slot: 7, lineAgoMs: 60_000 },
      waiting(0),
      waiting(1),
    ],
    remembers: readAgo(0),
    actions: ['end 7 (retired)'],
  },
];

describe('the warm pool', () => {
  it.each(ROWS)('$name', (row) => {
    const { plan, known } = planOf(row);
    expect(plan.actions.map((action) => story(action, known))).toEqual(row.actions);
    expect(plan.needsFreshTasks).toBe(row.needsFresh);
    if (row.lookAgainInMs === undefined) return;
    const expected = row.lookAgainInMs === null ? null : NOW + row.lookAgainInMs;
    expect(plan.lookAgainAtMs).toBe(expected);
  });
});

describe('a standby can be offered a room', () => {
  const ready = (one: One) => {
    const memory = new Memory();
    return isReady(enter(memory, one), { memory, nowMs: NOW });
  };

  it('when it is registered; a foreign one a while later', () => {
    expect(ready(waiting())).toBe(true);
    expect(ready({ ...waiting(), runner: null })).toBe(true);
    expect(ready({ lineAgoMs: 4_999, runner: null })).toBe(false);
  });

  it.each<[string, One]>([
    ["another launcher's", { ...waiting(), made: false }],
    ['without a line', {}],
    ['not listed', { ...waiting(), phase: null }],
    ['ended', { ...waiting(), phase: 'ended' }],
    ['stopping', { ...waiting(), phase: 'stopping' }],
    ['spent', { ...waiting(), remembers: (known) => void (known.spent = 'x') }],
    ['resting', { ...waiting(), remembers: (known) => void (known.restsUntilMs = NOW + 1) }],
    ['on a job', { ...waiting(), remembers: (_, task) => void (task.assigned = true) }],
    ['being ended', { ...waiting(), remembers: ending(0) }],
    ['to be stopped', { ...waiting(), remembers: (_, task) => void (task.stopAsked = true) }],
    [
      'taken',
      { ...waiting(), remembers: ({ key }, _, memory) => takeStandby(memory, key, SID, NOW) },
    ],
  ])('not one that is %s', (_name, one) => expect(ready(one)).toBe(false));
});

function planOf({ standbys = [], profile, stale, failures = NO_FAILURES, remembers }: Row) {
  const memory = new Memory();
  memory.firstPassAtMs = START;
  const idle = standbys.map((one) => enter(memory, one));
  remembers?.(memory);
  const { count, agoMs } = failures;
  for (let n = 0; n < count; n++) memory.standbys.noteFailure('default', 'exit 1', NOW - agoMs);
  const profiles = [{ ...PROFILE, standby: 2, ...profile }];
  const view = { profiles, unmatched: NO_PROFILE, standbys: idle, tasksFresh: !stale };
  const plan = planPool(view, { memory, nowMs: NOW }, () => 0.5);
  return { plan, known: new Set(standbys.map(keyOf)) };
}

function keyOf({ slot = 0, profile = 'default' }: One): TaskKey {
  return standbyKey({ profile, slot }, 0);
}

function enter(memory: Memory, one: One) {
  const { made = true, phase = 'running', runner = true, seenAgoMs = 10_000, code } = one;
  const key = keyOf(one);
  if (made) memory.standbys.noteMade(key);
  const known = memory.standbys.note(key);
  if (one.lineAgoMs !== undefined) {
    known.lineSinceMs = NOW - one.lineAgoMs;
    known.registeredAtMs = NOW - one.lineAgoMs;
  }
  const atMs = NOW - seenAgoMs;
  const exit = { code: code ?? null, oomKilled: false, detail: '' };
  const task: KeyedTask | null = phase && {
    key,
    taskId: key as string as TaskId,
    phase,
    template: '',
    runner,
    createdAtMs: atMs,
    ...(phase === 'ended' && { endedAtMs: NOW, exit }),
  };
  if (task) memory.noteTasks([task], atMs);
  one.remembers?.(known, memory.task(key), memory);
  return { known, task };
}

/** A standby of slot 0 that the room was offered. */
function offered(memory: Memory, agoMs = 0): TaskKey {
  const key = standbyKey({ profile: 'default', slot: 0 }, 0);
  memory.standbys.noteMade(key);
  takeStandby(memory, key, SID, NOW - agoMs);
  return key;
}

/** One whose worker took the room's job, which was offered so long ago. */
function joining(memory: Memory, agoMs: number): TaskMemory {
  return Object.assign(memory.task(offered(memory, agoMs)), { assigned: true });
}

function unanswered(): One {
  return { phase: null, remembers: (known) => void (known.unanswered = true) };
}

function ending(agoMs: number): NonNullable<One['remembers']> {
  return ({ key }, _, memory) => memory.noteEnding(key, 'retired', 'because', NOW - agoMs);
}

function judged(agoMs: number) {
  return (_known: StandbyMemory, task: TaskMemory) => {
    const atMs = NOW - agoMs;
    task.judged = { verdict: 'failed', reason: 'exit 1', endedAtMs: atMs, atMs };
  };
}

/** All rooms were listed, and looked at, so long ago. */
function readAgo(agoMs: number) {
  return (memory: Memory) => {
    memory.noteRooms([ROOM], null, NOW - agoMs);
    memory.room(SID).lookedAtMs = NOW - agoMs;
  };
}

/** An action in short: `launch 1`, `repeat 1`, `end 0 (spent)`: the slot, and the cause. */
function story(action: PoolAction, known: ReadonlySet<TaskKey>): string {
  if (action.do === 'launch-standby') {
    return `${known.has(action.key) ? 'repeat' : 'launch'} ${slotOf(action.key)}`;
  }
  if (action.do === 'judge') return `judge ${slotOf(action.key)} ${action.judgement.verdict}`;
  const what = `${action.do} ${slotOf(action.task.key)}`;
  if (action.do === 'remove') return what;
  return action.do === 'end' ? `${what} (${action.cause})` : `${what} (${action.graceMs} ms)`;
}

function slotOf(key: TaskKey): number | undefined {
  return parseStandbyKey(key)?.slot;
}
