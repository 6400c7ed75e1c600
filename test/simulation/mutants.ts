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

export const MUTANTS: readonly Mutant[] = [
  one(
    'trusts room_started: launches without looking',
    'reconcile/pass.ts',
    'const live = rooms.find((room) => room.sid === known.sid);',
    `const heard = { sid: known.sid, name, metadata: '', createdAtMs: 0 };
      const listed = rooms.find((room) => room.sid === known.sid);
      const live = listed ?? (known.nudgedAtMs === null ? undefined : heard);`,
  ),
  one(
    'counts only tasks that this process launched',
    'reconcile/observe.ts',
    'const listed = this.#tasks.bySid.get(sid) ?? [];',
    `const { memory } = this.#parts;
    const all = this.#tasks.bySid.get(sid) ?? [];
    const listed = all.filter((task) => memory.task(task.key).launched);`,
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
    'room.highestAttempt = Math.max(room.highestAttempt, of.attempt);',
    `if (this.task(key).launched) {
        room.highestAttempt = Math.max(room.highestAttempt, of.attempt);
      }`,
  ),
  one(
    'takes a lost answer for a refusal',
    'reconcile/apply.ts',
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
    'await driver.stop(task.taskId, { graceMs, reason }, signal);',
    `const room = task.key.slice(0, task.key.lastIndexOf('-') + 1);
      const all = await driver.list(signal);
      const newest = all.findLast((each) => each.key?.startsWith(room));
      await driver.stop(newest?.taskId ?? task.taskId, { graceMs, reason }, signal);`,
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
  one(
    'plans on tasks that it read before it waited',
    'reconcile/pass.ts',
    `const needed = needsParticipants(known, observer.tasksOf(room.sid), profile);
    const seen = needed ? await participants.read() : [];
    const agent = seen === null ? 'unread' : presentAgent(room.sid, seen);
    // Only now: what was listed meanwhile is in memory already, and a plan must not mix the two.
    const tasks = observer.tasksOf(room.sid);`,
    `const tasks = observer.tasksOf(room.sid);
    const seen = needsParticipants(known, tasks, profile) ? await participants.read() : [];
    const agent = seen === null ? 'unread' : presentAgent(room.sid, seen);`,
  ),
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
    '.filter(({ key }) => (memory.task(key).firstSeenAtMs ?? nowMs) >= (room.againAtMs ?? 0))',
    '.filter(() => nowMs > 0)',
  ),
];
