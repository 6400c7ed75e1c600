/** Rooms that no list shows, as a table: doubt leaves them alone, certainty clears them up. */
import { describe, expect, it } from 'vitest';
import { roomKey, standbyKey } from '../../../launcher/core/key.ts';
import { Memory } from '../../../launcher/core/memory.ts';
import { excessEvidence, isForgettable, isGone } from '../../../launcher/core/plan-gone.ts';
import { takeStandby } from '../../../launcher/core/standby-room.ts';
import { ended, NOW, planAbsent, ROOM, SID, story, task, type Scene } from './plan-world.ts';

interface Row {
  readonly name: string;
  readonly scene: Scene & { readonly agentStillThere?: boolean };
  readonly actions: readonly string[];
  readonly lookAgainInMs?: number | null;
  readonly needsFresh?: true;
}

/** What was seen of the room: listed, finished, absent from lists; times from now. */
function seen(
  ...events: readonly (readonly ['listed' | 'finished' | 'absent' | 'nudged', number])[]
) {
  return (memory: Memory) => {
    for (const [what, agoMs] of events) {
      const atMs = NOW - agoMs;
      if (what === 'listed') memory.noteRooms([ROOM], null, atMs);
      else if (what === 'absent') memory.noteRooms([], null, atMs);
      else if (what === 'finished') memory.noteFinished(SID, ROOM.name, atMs);
      else memory.noteNudge(SID, ROOM.name, true, atMs);
    }
  };
}
const over = seen(['listed', 9_000], ['finished', 5_000], ['absent', 1_000]);
const live = [task(1, 'running')];

const STANDBY = standbyKey({ profile: 'default', slot: 0 }, 0);
const standby = [task(1, 'running', { key: STANDBY })];
const taken = (assigned: boolean) => (memory: Memory) => {
  over(memory);
  takeStandby(memory, STANDBY, SID, NOW - 8_000);
  memory.task(STANDBY).assigned = assigned;
};

const ROWS: readonly Row[] = [
  {
    name: 'over before its standby took the job: the standby can take another',
    scene: { tasks: standby, remembers: taken(false) },
    actions: [`release ${STANDBY}`],
    lookAgainInMs: 0,
  },
  {
    name: 'over, and its standby has the job: ended like any task',
    scene: { tasks: standby, remembers: taken(true) },
    actions: ['end 1 (gone)'],
  },
  {
    name: 'absent from one list: doubt',
    scene: { tasks: live, remembers: seen(['listed', 5_000], ['absent', 1_000]) },
    actions: [],
    lookAgainInMs: 9_000,
  },
  {
    name: 'absent from two lists 9 s apart: doubt',
    scene: {
      tasks: live,
      remembers: seen(['listed', 20_000], ['absent', 10_000], ['absent', 1_000]),
    },
    actions: [],
  },
  {
    name: 'absent from two lists 10 s apart: over',
    scene: {
      tasks: live,
      remembers: seen(['listed', 20_000], ['absent', 11_000], ['absent', 1_000]),
    },
    actions: ['end 1 (gone)'],
  },
  {
    name: 'listed in between: doubt',
    scene: {
      tasks: live,
      remembers: seen(['absent', 30_000], ['listed', 9_000], ['absent', 1_000]),
    },
    actions: [],
  },
  {
    name: 'finished and absent from one list: over',
    scene: { tasks: live, remembers: over },
    actions: ['end 1 (gone)'],
  },
  {
    name: 'finished, and a list begun before that does not show it: doubt',
    scene: {
      tasks: live,
      remembers: seen(['listed', 9_000], ['absent', 5_000], ['finished', 1_000]),
    },
    actions: [],
  },
  {
    name: 'finished, then listed again (the same sid can start twice): doubt',
    scene: {
      tasks: live,
      remembers: seen(['finished', 9_000], ['listed', 5_000], ['absent', 1_000]),
    },
    actions: [],
  },
  {
    name: 'over, but its agent is in a room that is not listed: left alone',
    scene: { tasks: live, agentStillThere: true, remembers: over },
    actions: [],
    lookAgainInMs: 10_000,
  },
  {
    name: 'over, on a stale list of tasks: look first',
    scene: { tasks: live, stale: true, remembers: over },
    actions: [],
    needsFresh: true,
  },
  {
    name: 'over, a worker that is not ours: JobTermination, and SIGTERM at once',
    scene: {
      tasks: [task(1, 'running', { runner: false, startedAtMs: NOW - 20_000 })],
      remembers: (m) => {
        over(m);
        m.noteEnding(roomKey(SID, 1), 'gone', 'over', NOW);
      },
    },
    actions: ['stop 1 (60000 ms)'],
  },
  {
    name: 'over, several tasks: all of them',
    scene: { tasks: [task(1, 'running'), task(2, 'starting')], remembers: over },
    actions: ['end 1 (gone)', 'end 2 (gone)'],
  },
  {
    name: 'over, ended by JobTermination 9 s ago: wait',
    scene: {
      tasks: live,
      remembers: (m) => {
        over(m);
        m.noteEnding(roomKey(SID, 1), 'gone', 'over', NOW - 9_000);
      },
    },
    actions: [],
    lookAgainInMs: 1_000,
  },
  {
    name: 'over, and still running 10 s later: stopped',
    scene: {
      tasks: live,
      remembers: (m) => {
        over(m);
        m.noteEnding(roomKey(SID, 1), 'gone', 'over', NOW - 10_000);
      },
    },
    actions: ['stop 1 (60000 ms)'],
  },
  {
    name: 'over, the task ended: its evidence is kept',
    scene: { tasks: [ended(1, 0, 4_000)], remembers: over },
    actions: ['judge 1 served'],
    lookAgainInMs: 600_000,
  },
  {
    name: 'over for ten minutes: removed',
    scene: {
      tasks: [ended(1, 0, 700_000)],
      remembers: (m) => {
        over(m);
        m.room(SID).goneAtMs = NOW - 600_000;
      },
    },
    actions: ['judge 1 served', 'remove 1'],
  },
  {
    name: 'never seen live by this process: ten minutes from the end of the task',
    scene: {
      tasks: [ended(1, 0, 600_000)],
      remembers: seen(['absent', 20_000], ['absent', 1_000]),
    },
    actions: ['judge 1 served', 'remove 1'],
  },
  {
    name: 'heard of just now, not listed: 0.2 s',
    scene: { remembers: seen(['nudged', 0], ['absent', 0]) },
    actions: [],
    lookAgainInMs: 200,
  },
  {
    name: 'then 1 s',
    scene: { remembers: seen(['nudged', 300], ['absent', 0]) },
    actions: [],
    lookAgainInMs: 700,
  },
  {
    name: 'then 3 s',
    scene: { remembers: seen(['nudged', 1_000], ['absent', 0]) },
    actions: [],
    lookAgainInMs: 2_000,
  },
  {
    name: 'then 10 s',
    scene: { remembers: seen(['nudged', 3_500], ['absent', 0]) },
    actions: [],
    lookAgainInMs: 6_500,
  },
  {
    name: 'then until it is known to be over',
    scene: { remembers: seen(['nudged', 10_000], ['absent', 0]) },
    actions: [],
    lookAgainInMs: 10_000,
  },
];

describe('a room that is not listed', () => {
  it.each(ROWS)('$name', (row) => {
    const plan = planAbsent(row.scene);
    expect(story(plan)).toEqual(row.actions);
    if (row.lookAgainInMs !== undefined) {
      const expected = row.lookAgainInMs === null ? null : NOW + row.lookAgainInMs;
      expect(plan.lookAgainAtMs).toBe(expected);
    }
    expect(plan.needsFreshTasks).toBe(row.needsFresh);
  });
});

describe('evidence and memory', () => {
  it('keeps the 500 ended tasks that ended last', () => {
    const tasks = Array.from({ length: 503 }, (_, n) => ended(n + 1, 0, n * 1_000));
    const removed = excessEvidence(tasks).map((action) => action.task.key);
    expect(removed).toEqual([501, 502, 503].map((n) => roomKey(SID, n)));
  });

  it('forgets a room ten minutes after it was over, and one that was only heard of', () => {
    const memory = new Memory();
    over(memory);
    const room = memory.room(SID);
    expect(isGone(room)).toBe(true);
    expect(isForgettable(room, NOW)).toBe(false);
    room.goneAtMs = NOW - 600_001;
    expect(isForgettable(room, NOW)).toBe(true);

    const heard = new Memory();
    seen(['nudged', 600_001])(heard);
    expect(isForgettable(heard.room(SID), NOW)).toBe(true);
  });

  it('never forgets a room that is listed', () => {
    const memory = new Memory();
    seen(['nudged', 900_000], ['listed', 900_000])(memory);
    expect(isForgettable(memory.room(SID), NOW)).toBe(false);
  });
});
