/** Short words for planner cases: a room, its tasks, who is in it, what is remembered, the time. */
import type { KeyedTask, LiveRoomView, Plan } from '../../../launcher/core/action.ts';
import type { Profile } from '../../../launcher/core/desired.ts';
import { attemptOf, roomKey } from '../../../launcher/core/key.ts';
import { Memory } from '../../../launcher/core/memory.ts';
import { planAbsentRoom } from '../../../launcher/core/plan-gone.ts';
import { planRoom } from '../../../launcher/core/plan.ts';
import type { PresentAgent, Room, RoomSid } from '../../../launcher/core/room.ts';
import type { Exit, Phase, TaskId } from '../../../launcher/driver.ts';

export const SID = 'RM_abc' as RoomSid;
/** The first complete pass; most cases happen a minute later. */
export const START = 1_000_000;
export const NOW = START + 60_000;

export const PROFILE: Profile = {
  name: 'default',
  template: '/agent.js',
  cpu: 1,
  memoryMiB: 1024,
  retries: 3,
  startDeadlineMs: 600_000,
  joinDeadlineMs: 60_000,
  maxLifetimeMs: 86_400_000,
  shutdownTimeoutMs: 60_000,
};

/** Of rooms that none matches. */
export const NO_PROFILE: Profile = { ...PROFILE, name: '', template: '', launch: false };

export const ROOM: Room = { sid: SID, name: 'demo', metadata: '', createdAtMs: START };

export function task(attempt: number, phase: Phase, more: Partial<KeyedTask> = {}): KeyedTask {
  return {
    taskId: `t${attempt}` as TaskId,
    key: roomKey(SID, attempt),
    phase,
    template: PROFILE.template,
    runner: true,
    createdAtMs: NOW - 10_000,
    ...(phase === 'running' || phase === 'stopping' ? { startedAtMs: NOW - 9_000 } : {}),
    ...more,
  };
}

export function ended(attempt: number, code: number | null, agoMs = 100_000): KeyedTask {
  const exit: Exit = { code, oomKilled: false, detail: '' };
  return task(attempt, 'ended', { endedAtMs: NOW - agoMs, exit });
}

/** The agent that claims this attempt's key. */
export function agent(attempt: number): PresentAgent {
  return { taskKey: roomKey(SID, attempt) };
}

export interface Scene {
  readonly tasks?: readonly KeyedTask[];
  readonly agent?: LiveRoomView['agent'];
  readonly stale?: boolean;
  readonly standby?: KeyedTask;
  readonly profile?: Partial<Profile>;
  readonly nowMs?: number;
  /** Further memory, after a first pass that saw the room listed and these tasks. */
  readonly remembers?: (memory: Memory) => void;
}

function memoryOf(scene: Scene, listed: boolean): Memory {
  const memory = new Memory();
  memory.firstPassAtMs = START;
  if (listed) memory.noteRooms([ROOM], null, NOW - 1_000);
  for (const each of scene.tasks ?? []) {
    memory.noteTasks([each], each.startedAtMs ?? each.createdAtMs);
  }
  scene.remembers?.(memory);
  return memory;
}

/** The plan for a live room. */
export function planLive(scene: Scene): Plan {
  const memory = memoryOf(scene, true);
  const view: LiveRoomView = {
    sid: SID,
    room: ROOM,
    profile: { ...PROFILE, ...scene.profile },
    tasks: scene.tasks ?? [],
    tasksFresh: !scene.stale,
    standby: scene.standby ?? null,
    agent: scene.agent ?? null,
  };
  return planRoom(view, { memory, nowMs: scene.nowMs ?? NOW });
}

/** The plan for a room that the newest list does not show; `remembers` says what was seen of it. */
export function planAbsent(scene: Scene & { readonly agentStillThere?: boolean }): Plan {
  const memory = memoryOf(scene, false);
  const view = {
    sid: SID,
    profile: { ...PROFILE, ...scene.profile },
    tasks: scene.tasks ?? [],
    tasksFresh: !scene.stale,
    agentStillThere: scene.agentStillThere ?? false,
  };
  return planAbsentRoom(memory.room(SID), view, { memory, nowMs: scene.nowMs ?? NOW });
}

/** A plan's actions in short: `launch 2`, `end 1 (surplus)`, `judge 1 failed`. */
export function story(plan: Plan): string[] {
  return plan.actions.map((action) => {
    switch (action.do) {
      case 'launch':
        return `launch ${action.attempt}`;
      case 'end':
        return `end ${attemptOf(action.task.key)} (${action.cause})`;
      case 'stop':
        return `stop ${attemptOf(action.task.key)} (${action.graceMs} ms)`;
      case 'remove':
        return `remove ${attemptOf(action.task.key)}`;
      case 'judge':
        return `judge ${attemptOf(action.key)} ${action.judgement.verdict}`;
      case 'assign':
      case 'release':
        return `${action.do} ${action.task.key}`;
      case 'fail':
        return 'fail';
    }
  });
}
