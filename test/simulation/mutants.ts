/**
 * Classic bugs of launchers, as patches of the real planner and loop. The simulation has to see each
 * of them: an invariant that no bug breaks proves nothing.
 */
export interface Mutant {
  readonly name: string;
  readonly patches: readonly {
    readonly file: string;
    /** Occurs exactly once. */
    readonly find: string;
    readonly replace: string;
  }[];
}

const one = (name: string, file: string, find: string, replace: string): Mutant => ({
  name,
  patches: [{ file: `launcher/${file}`, find, replace }],
});

/** Of the warm pool. */
const POOL_MUTANTS: readonly Mutant[] = [
  one(
    "offers another launcher's standby",
    'core/plan-pool.ts',
    'if (!known.made || known.room ||',
    'if (known.room ||',
  ),
  {
    name: 'offers a standby that is taken',
    patches: [
      {
        file: 'launcher/core/plan-pool.ts',
        find: 'if (!known.made || known.room ||',
        replace: 'if (!known.made ||',
      },
      {
        file: 'launcher/core/plan-pool.ts',
        find: 'if (assigned || ending || stopAsked)',
        replace: 'if (ending || stopAsked)',
      },
      {
        file: 'launcher/core/standbys.ts',
        find: 'this.idle.delete(standby.key);',
        replace: '',
      },
    ],
  },
  one(
    'releases a standby in mid-job when its line breaks',
    'reconcile/pool.ts',
    'if (!room || memory.task(key).assigned) return;',
    'if (!room) return;',
  ),
  one(
    "leaves a standby that said no the room's",
    'reconcile/pool.ts',
    'memory.standbys.rest(standby, nowMs);\n        this.#release(standby);',
    'memory.standbys.rest(standby, nowMs);',
  ),
  one(
    'takes a standby beside a launch without an answer',
    'core/plan-launch.ts',
    "if (!last && view.standby && room.trouble?.outcome !== 'unknown') {",
    'if (!last && view.standby) {',
  ),
  one(
    "retires another launcher's standby without a look at the rooms",
    'core/plan-pool.ts',
    'const isSure = nowMs < dueAtMs || memory.wereRoomsRead(dueAtMs);',
    'const isSure = nowMs > 0;',
  ),
  one(
    'counts no failures of standbys',
    'core/standbys.ts',
    'const failures = (this.trouble(profile, nowMs)?.failures ?? 0) + 1;',
    'const failures = 0;',
  ),
  {
    name: 'keeps a place for a standby that has ended',
    patches: [
      {
        file: 'launcher/core/plan-stock.ts',
        find: 'if (ending || judged || activeSaid) continue;',
        replace: 'if (activeSaid && !ending && !judged) continue;',
      },
      {
        file: 'launcher/core/plan-stock.ts',
        find: 'if (assigned && joinsUntilMs <= nowMs) continue;',
        replace: 'if (assigned && !ending && !judged && joinsUntilMs <= nowMs) continue;',
      },
    ],
  },
  {
    name: 'believes every agent which standby it is',
    patches: [
      {
        file: 'launcher/core/standby-room.ts',
        find: 'if (standby.made || standby.contested || standby.room?.sid === sid) return;',
        replace: 'if (standby.room?.sid === sid) return;',
      },
      {
        file: 'launcher/core/standby-room.ts',
        find: 'if (own.some((task) => !task.launched || !task.waitsHere)) return;',
        replace: 'void own;',
      },
      {
        file: 'launcher/core/standby-room.ts',
        find: 'if (standby.room) {\n    standby.contested',
        replace: 'if (standby.room && nowMs < 0) {\n    standby.contested',
      },
    ],
  },
  one(
    'lets a room whose standby is taken forget its launch',
    'core/standby-room.ts',
    'memory.room(sid).keys.add(key);',
    'memory.room(sid);',
  ),
];

export const MUTANTS: readonly Mutant[] = [
  one(
    'trusts room_started: launches without looking',
    'reconcile/pass.ts',
    'const live = isGone(known) ? undefined : rooms.find((room) => room.sid === known.sid);',
    `const heard = { sid: known.sid, name, metadata: '', createdAtMs: 0 };
      const listed = rooms.find((room) => room.sid === known.sid);
      const live = listed ?? (known.nudgedAtMs === null ? undefined : heard);`,
  ),
  one(
    'counts only tasks that this process launched',
    'reconcile/observe.ts',
    'return [...(bySid.get(sid) ?? []), ...standbys, ...pending];',
    `const own = (bySid.get(sid) ?? []).filter((task) => memory.task(task.key).launched);
    return [...own, ...standbys, ...pending];`,
  ),
  one(
    'takes one list without the room for its end',
    'core/plan-gone.ts',
    'return !rumour && lastMs - firstMs >= ABSENT_MS;',
    'return !rumour && lastMs >= firstMs;',
  ),
  one(
    'hears no witness against the end of a room',
    'core/plan-gone.ts',
    'if (view.agentStillThere) {',
    'if (view.agentStillThere && nowMs < 0) {',
  ),
  one(
    'takes the next attempt from its memory alone',
    'core/memory.ts',
    'room.highestAttempt = Math.max(room.highestAttempt, attempt);',
    `const launched = [...room.keys].filter((key) => this.task(key).launched);
    room.highestAttempt = launched.length;`,
  ),
  one(
    'takes a lost answer for a refusal',
    'reconcile/launches.ts',
    "const retry = result.outcome === 'refused' ? result.retry : 'same-key';",
    "const retry = result.outcome === 'refused' ? result.retry : 'next-key';",
  ),
  one(
    'ignores that lists lag behind',
    'core/expectations.ts',
    'if (begunAtMs > acceptedAtMs + listLagMs) lost.push(key);',
    'if (begunAtMs >= acceptedAtMs + 0 * listLagMs) lost.push(key);',
  ),
  one(
    'counts displaced agents as failed',
    'core/plan-launch.ts',
    "ends.filter((end) => end.verdict !== 'displaced').length",
    'ends.length',
  ),
  one(
    'forgets to look again',
    'reconcile/loop.ts',
    'if (atMs === null || this.#stopped) return;',
    'if (atMs !== 0 || this.#stopped) return;',
  ),
  one(
    'stops the newest task of the room, not the one that it decided on',
    'reconcile/apply.ts',
    'await driver.stop(task.taskId, how, signal);',
    `const room = task.key.slice(0, task.key.lastIndexOf('-') + 1);
      const all = await driver.list(signal);
      const newest = all.findLast((each) => each.key?.startsWith(room));
      await driver.stop(newest?.taskId ?? task.taskId, how, signal);`,
  ),
  one(
    'ends tasks on an old list',
    'core/plan-task.ts',
    'if (!view.tasksFresh) return',
    'if (!view.tasksFresh && nowMs < 0) return',
  ),
  one(
    'hands over without looking at the room',
    'reconcile/hand-over.ts',
    'if (room?.sid !== sid) {',
    'if (!room) {',
  ),
  one(
    'hands over beside an agent that is there',
    'reconcile/hand-over.ts',
    'if (agent && !this.#isGhost(sid, agent.taskKey)) {',
    'if (agent && !this.#isGhost(sid, agent.taskKey) && key.length === 0) {',
  ),
  one(
    'takes a list that failed for an empty one',
    'reconcile/observe.ts',
    `memory.noteLiveKit(false, begunAtMs);
      throw error;`,
    `memory.noteRooms([], name, begunAtMs);
      return [];`,
  ),
  one(
    'counts time without LiveKit towards deadlines',
    'core/memory.ts',
    'return this.#blind.ms(nowMs) + (this.rooms.get(sid)?.unread.ms(nowMs) ?? 0);',
    'return 0 * nowMs * sid.length;',
  ),
  {
    name: 'ends an agent that one look did not see',
    patches: [
      {
        file: 'launcher/core/plan-task.ts',
        find: 'const MISSING_MS = 30_000;',
        replace: 'const MISSING_MS = 0;',
      },
      {
        file: 'launcher/core/plan-task.ts',
        find: 'const MISSING_LOOKS = 2;',
        replace: 'const MISSING_LOOKS = 1;',
      },
    ],
  },
  one(
    'never forgets a room',
    'reconcile/loop.ts',
    'for (const { sid } of memory.prune(isOver))',
    'for (const { sid } of memory.prune((room) => isOver(room) && nowMs < 0))',
  ),
  one(
    'leaves a nudge to the look that is planned already',
    'reconcile/loop.ts',
    `if (this.#stopped) return;
    this.#queue.set(name, this.#parts.observer.turn());`,
    `if (this.#stopped || this.#lookAgain.has(name)) return;
    this.#queue.set(name, this.#parts.observer.turn());`,
  ),
  {
    name: 'never gives a launch slot back',
    patches: [
      {
        file: 'launcher/core/limits.ts',
        find: 'const START_MS = 15_000;',
        replace: 'const START_MS = Infinity;',
      },
      {
        file: 'launcher/core/limits.ts',
        find: 'return this.#inFlight.delete(sid);\n  }\n\n  /** The room wants',
        replace: 'return this.#inFlight.has(sid);\n  }\n\n  /** The room wants',
      },
    ],
  },
  one(
    'never gives up',
    'core/plan-launch.ts',
    'if (counted >= tries) return',
    'if (counted >= tries && context.nowMs < 0) return',
  ),
  one(
    'removes what is left of a task while its room lives',
    'core/plan.ts',
    'const rest = planLiveRoom(view, room, context);',
    `const plan = planLiveRoom(view, room, context);
  const old = view.tasks.filter((task) => task.phase === 'ended');
  const removals = old.map((task) => ({ do: 'remove' as const, task, reason: 'ended' }));
  const rest = { ...plan, actions: [...plan.actions, ...removals] };`,
  ),
  {
    name: 'plans on tasks that it read before it waited',
    patches: [
      {
        file: 'launcher/reconcile/pass.ts',
        find: 'const profile = chooser.of(known);',
        replace: 'const profile = chooser.of(known); const before = observer.tasksOf(room.sid);',
      },
      {
        file: 'launcher/reconcile/pass.ts',
        find: 'observer.tasksOf(room.sid).map((task) => asProfileSays(task, profile));\n    if',
        replace: 'before.map((task) => asProfileSays(task, profile));\n    if',
      },
    ],
  },
  one(
    'ends an agent by participants that it read long ago',
    'reconcile/pass.ts',
    'participants.expire();',
    'void participants;',
  ),
  one(
    'believes a rumour of a room for ever',
    'core/plan-gone.ts',
    'return !rumour && lastMs - firstMs >= ABSENT_MS;',
    'return !rumour && room.nudgedAtMs === null && lastMs - firstMs >= ABSENT_MS;',
  ),
  one(
    'takes the ends of an earlier life for those of this one',
    'core/plan-launch.ts',
    '.filter(({ key }) => (memory.servesSinceMs(key) ?? nowMs) >= (room.againAtMs ?? 0))',
    '.filter(() => nowMs > 0)',
  ),
  ...POOL_MUTANTS,
];
