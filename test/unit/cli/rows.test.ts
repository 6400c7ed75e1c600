/** The tables of rooms, tasks and a first plan, as people get them. */
import { expect, it } from 'vitest';
import type { RoomRow, TaskRow } from '../../../launcher/admin/ports.ts';
import { planText } from '../../../launcher/cli/plan-text.ts';
import { roomTable } from '../../../launcher/cli/rooms.ts';
import { PLAIN } from '../../../launcher/cli/table.ts';
import { taskTable } from '../../../launcher/cli/tasks.ts';
import type { FirstPlan } from '../../../launcher/reconcile/preview.ts';

const NOW_MS = Date.parse('2026-01-01T00:10:00Z');
const room: RoomRow = {
  name: 'lobby',
  sid: 'RM_1',
  profile: 'default',
  state: 'serving',
  reason: 'its agent is in the room',
  attempts: 1,
  task: 'r-RM_1-1',
  participants: 2,
  otherAgents: 0,
  createdAt: '2026-01-01T00:09:00Z',
};
const task: TaskRow = {
  key: 'r-RM_1-1',
  taskId: 'id-1',
  sid: 'RM_1',
  attempt: 1,
  standby: null,
  phase: 'running',
  verdict: null,
  exitCode: null,
  reason: '',
  createdAt: '2026-01-01T00:09:00Z',
  startedAt: '2026-01-01T00:09:30Z',
  endedAt: null,
  socket: 'assigned',
};

it('rooms: what each waits for', () => {
  const skipped = { state: 'skipped', reason: 'no profile is for it', attempts: 0 } as const;
  const rows: RoomRow[] = [
    room,
    { ...room, name: '', sid: 'RM_2', profile: null, task: null, createdAt: null, ...skipped },
  ];
  expect(roomTable(rows, NOW_MS, PLAIN)).toBe(
    [
      'NAME   STATE    PROFILE  TASK      ATTEMPTS  AGE  REASON',
      'lobby  serving  default  r-RM_1-1  1         60s  its agent is in the room',
      'RM_2   skipped  -        -         0         -    no profile is for it',
      '',
    ].join('\n'),
  );
  expect(roomTable([room], NOW_MS, PLAIN, true)).toMatch(/^SID +NAME .*\nRM_1 +lobby /);
});

it('tasks: newest first, with what became of each', () => {
  const ended = { phase: 'ended', endedAt: '2026-01-01T00:08:30Z', exitCode: 64 } as const;
  const rows: TaskRow[] = [
    {
      ...task,
      ...ended,
      key: 'r-RM_9-2',
      sid: 'RM_9',
      attempt: 2,
      createdAt: '2026-01-01T00:08:00Z',
      startedAt: '2026-01-01T00:08:10Z',
      verdict: 'fatal',
      reason: 'bad start configuration',
    },
    task,
    {
      ...task,
      key: 's-default-0-00000001',
      sid: null,
      attempt: null,
      standby: 'ready',
      createdAt: '2026-01-01T00:01:00Z',
      startedAt: '2026-01-01T00:01:00Z',
    },
    {
      ...task,
      key: null,
      taskId: 'odd',
      sid: null,
      attempt: null,
      createdAt: '2025-12-30T00:00:00Z',
      startedAt: null,
    },
  ];
  expect(taskTable(rows, [room], NOW_MS, PLAIN)).toBe(
    [
      'KEY                   PHASE    ROOM              ATTEMPT  UPTIME  AGE  VERDICT          EXIT  REASON',
      'r-RM_1-1              running  lobby             1        30s     60s  -                -',
      'r-RM_9-2              ended    RM_9              2        20s     2m   failed for good  64    bad start configuration',
      's-default-0-00000001  running  (standby, ready)  -        9m      9m   -                -',
      '? odd                 running  -                 -        -       2d   -                -     its key cannot be read: it is left alone',
      '',
    ].join('\n'),
  );
});

it('a long name leaves room for the rest on a terminal, and is whole elsewhere', () => {
  const look = { ...PLAIN, width: 120 };
  const long = { ...room, name: 'n'.repeat(200) };
  const cut = `${'n'.repeat(39)}…`;
  const plan = { rooms: [{ ...ROOM_PLAN, name: long.name }], standbys: [], tasks: 0 };
  expect(roomTable([long], NOW_MS, look)).toContain(`\n${cut}  serving  `);
  expect(taskTable([task], [long], NOW_MS, look)).toContain(`  ${cut}  1  `);
  expect(planText(plan, look)).toContain(`\n${cut}  default  `);
  expect(roomTable([long], NOW_MS, PLAIN)).toContain(`${long.name}  serving`);
  expect(taskTable([task], [long], NOW_MS, PLAIN)).toContain(`${long.name}  1`);
});

const ROOM_PLAN: FirstPlan['rooms'][number] = {
  name: 'lobby',
  sid: 'RM_1',
  profile: 'default',
  state: 'launching',
  reason: 'the room is live and has no task',
  actions: [],
};

it('a plan: each action with its reason, and what each other room waits for', () => {
  const action = { template: null, reason: 'more than enough' };
  const plan: FirstPlan = {
    tasks: 2,
    rooms: [
      {
        ...ROOM_PLAN,
        actions: [
          { do: 'launch', task: 'r-RM_1-1', template: 'my-agent:1', reason: ROOM_PLAN.reason },
        ],
      },
      {
        ...ROOM_PLAN,
        name: null,
        sid: 'RM_2',
        profile: null,
        state: 'ending',
        actions: [
          { ...action, do: 'judge', task: 'r-RM_2-1' },
          { ...action, do: 'remove', task: 'r-RM_2-1' },
        ],
      },
      { ...ROOM_PLAN, name: 'busy', state: 'serving', reason: 'its agent is in the room' },
    ],
    standbys: [{ ...action, do: 'launch', task: 's-default-0-00000001' }],
  };
  expect(planText(plan, PLAIN)).toBe(
    [
      'ROOM       PROFILE  DOES     TASK                  REASON',
      'lobby      default  launch   r-RM_1-1              the room is live and has no task (my-agent:1)',
      'RM_2       -        remove   r-RM_2-1              more than enough',
      'busy       default  nothing  -                     serving: its agent is in the room',
      '(standby)  -        launch   s-default-0-00000001  more than enough',
      '',
      'Seen: 3 rooms, 2 tasks. The launcher would launch 2, remove 1. Nothing was done.',
      '',
    ].join('\n'),
  );
});

it('a plan of nothing is a sentence', () => {
  expect(planText({ rooms: [], standbys: [], tasks: 0 }, PLAIN)).toBe(
    'Seen: 0 rooms, 0 tasks. The launcher would do nothing. Nothing was done.\n',
  );
});
