/**
 * The plan of a launcher's first pass, and nothing done about it: the same looks and the same plans
 * as a launcher's own, with an applier that takes note of each action. It asks LiveKit and the engine
 * for their lists alone.
 */
import type { Action } from '../core/action.ts';
import type { Profiles } from '../core/desired.ts';
import { Expectations } from '../core/expectations.ts';
import { LaunchLimits } from '../core/limits.ts';
import { Memory } from '../core/memory.ts';
import { planPool, type PoolAction } from '../core/plan-pool.ts';
import type { RoomMemory, RunState } from '../core/remembered.ts';
import type { Driver } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import { type Log, SILENT } from '../lib/log.ts';
import { Outage } from '../lib/outage.ts';
import { Slots } from '../lib/slots.ts';
import { profileOfStandby } from './launches.ts';
import { Observer } from './observe.ts';
import { Pass } from './pass.ts';
import { poolView } from './pool-view.ts';
import type { RoomsPort } from './ports.ts';
import { ProfileChooser } from './profiles.ts';

/** As a launcher's own loop. */
const PASSES_AT_ONCE = 8;

export interface PreviewParts {
  readonly livekit: RoomsPort;
  readonly driver: Driver;
  readonly profiles: Profiles;
  readonly clock: Clock;
  /** Hears of rooms whose metadata names no profile; what did not answer is in the plan or rejects. */
  readonly log: Log;
  readonly random: () => number;
}

export interface FirstPlan {
  /** Live rooms, and those that are over and have tasks. */
  readonly rooms: readonly RoomPlan[];
  /** What would be done about standbys that no room has, and to have as many as profiles want. */
  readonly standbys: readonly PlannedAction[];
  /** How many tasks the engine lists. */
  readonly tasks: number;
}

export interface RoomPlan {
  /** Null for a room that is known from its tasks only. */
  readonly name: string | null;
  readonly sid: string;
  /** Null: no profile is for it. */
  readonly profile: string | null;
  readonly state: RunState;
  readonly reason: string;
  readonly actions: readonly PlannedAction[];
}

export interface PlannedAction {
  readonly do: 'launch' | 'assign' | 'release' | 'end' | 'stop' | 'remove' | 'judge' | 'fail';
  /** Key of the task; null for what is done to the run. */
  readonly task: string | null;
  /** What would be launched; null for all else. */
  readonly template: string | null;
  readonly reason: string;
}

/** Which of the two did not answer. */
export class PreviewError extends Error {
  override readonly name = 'PreviewError';
}

/** Rejects with `PreviewError` when LiveKit or the engine did not answer. */
export async function firstPlan(parts: PreviewParts): Promise<FirstPlan> {
  const memory = new Memory();
  const { observer, pass, chooser, actions } = passOf(parts, memory);
  // Tasks first, as in a launcher's full pass.
  await answered('the engine', observer.freshTasks(observer.turn()));
  await answered('LiveKit', observer.listAllRooms());
  memory.firstPassAtMs = parts.clock.nowMs();
  const rooms = [...memory.rooms.values()];
  const names = new Set(rooms.flatMap(({ name }) => name ?? []));
  const nameless = rooms.filter(({ name }) => name === null);
  const slots = new Slots(PASSES_AT_ONCE);
  const passes = [
    ...[...names].map((name) => slots.run(() => pass.run(name, 0, (wait) => wait()))),
    ...nameless.map((room) => pass.runNameless(room)),
  ];
  // Of what they may need, only a newer list of tasks can fail them.
  await answered('the engine', Promise.all(passes));
  return {
    rooms: rooms.map((room) => ({
      name: room.name,
      sid: room.sid,
      profile: chooser.of(room).name || null,
      state: room.state,
      reason: room.reason,
      actions: actions.get(room) ?? [],
    })),
    standbys: await standbyPlan(parts, memory, observer),
    tasks: observer.allTasks().length,
  };
}

/** There is no standby that this process made, and nobody to tell of a change. */
function none(): null {
  return null;
}

/** A pass and what it rests on, whose actions end as notes. */
function passOf({ livekit, driver, profiles, clock, log }: PreviewParts, memory: Memory) {
  const actions = new Map<RoomMemory, PlannedAction[]>();
  const chooser = new ProfileChooser(profiles, log);
  const expectations = new Expectations();
  const limits = new LaunchLimits({ ...driver.traits.launches, perNamePerMinute: Infinity });
  const known = { livekit, driver, memory, expectations, clock, log: SILENT, chooser, limits };
  const observer = new Observer({
    ...known,
    livekitOutage: new Outage('LiveKit', clock, SILENT),
    engineOutage: new Outage('the engine', clock, SILENT),
    tasksChanged: none,
  });
  const apply = (action: Action, _view: unknown, room: RoomMemory) => {
    const { template } = chooser.of(room);
    actions.set(room, [...(actions.get(room) ?? []), planned(action, template)]);
    return Promise.resolve(null);
  };
  const pass = new Pass({
    ...known,
    observer,
    applier: { apply },
    readyStandby: none,
    turnFree: none,
    agentJoined: none,
  });
  return { observer, pass, chooser, actions };
}

async function standbyPlan(
  { profiles, clock, random }: PreviewParts,
  memory: Memory,
  observer: Observer,
): Promise<readonly PlannedAction[]> {
  const begun = observer.turn();
  const sight = { memory, observer, profiles };
  const plan = () => planPool(poolView(sight, begun), { memory, nowMs: clock.nowMs() }, random);
  let { actions, needsFreshTasks } = plan();
  if (needsFreshTasks) {
    await answered('the engine', observer.freshTasks(begun));
    ({ actions, needsFreshTasks } = plan());
  }
  return actions.map((action) => {
    const key = action.do === 'launch-standby' ? action.key : null;
    return planned(action, key && (profileOfStandby(key, profiles.list)?.template ?? null));
  });
}

function planned(action: Action | PoolAction, template: string | null): PlannedAction {
  switch (action.do) {
    case 'launch':
    case 'launch-standby':
      return { do: 'launch', task: action.key, template, reason: action.reason };
    case 'judge': {
      const { verdict, reason } = action.judgement;
      return { do: 'judge', task: action.key, template: null, reason: `${verdict}: ${reason}` };
    }
    case 'fail':
      return { do: 'fail', task: null, template: null, reason: action.reason };
    default:
      return { do: action.do, task: action.task.key, template: null, reason: action.reason };
  }
}

async function answered<T>(who: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new PreviewError(`${who} did not answer`, { cause: error });
  }
}
