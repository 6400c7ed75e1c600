/**
 * The reconciler's side of the gateway: who may come in, and the look at LiveKit right before a job
 * is offered, so that a late task never brings back a room that is over and never becomes a second
 * agent.
 */
import type { Room as RoomInfo } from '@livekit/protocol';
import type { Expectations } from '../core/expectations.ts';
import { roomJobMetadata } from '../core/desired.ts';
import { isStandbyKey } from '../core/key.ts';
import type { Memory } from '../core/memory.ts';
import { isGone } from '../core/plan-gone.ts';
import type { RoomMemory } from '../core/remembered.ts';
import { agentIdentity, presentAgent, type Participant, type RoomSid } from '../core/room.ts';
import { endStyle, type Verdict } from '../core/verdict.ts';
import type { TaskKey } from '../driver.ts';
import type { Admission, Look, TaskRoom } from '../gateway/ports.ts';
import type { Clock } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';
import type { Observer } from './observe.ts';
import type { ProfileChooser } from './profiles.ts';

/** Verdicts after which another task gets the room, or has it. */
const REPLACED: ReadonlySet<Verdict | null> = new Set(['failed', 'displaced']);

export interface HandOverPorts {
  /** The live room of a name as LiveKit lists it, or null. Rejects when LiveKit did not answer. */
  roomInfo(name: string, signal: AbortSignal): Promise<RoomInfo | null>;
  listParticipants(name: string, signal: AbortSignal): Promise<readonly Participant[]>;
  /** The room's explicit dispatch of this agent name, or null. */
  dispatchOf(
    name: string,
    agentName: string,
    signal: AbortSignal,
  ): Promise<{ readonly dispatchId: string; readonly metadata: string } | null>;
}

export interface HandOverParts {
  readonly livekit: HandOverPorts;
  readonly observer: Observer;
  readonly memory: Memory;
  readonly chooser: ProfileChooser;
  readonly expectations: Expectations;
  readonly clock: Clock;
  /** Look at this room: the gateway found it different from what was thought. */
  readonly nudge: (name: string) => void;
}

export class HandOver {
  readonly #parts: HandOverParts;

  constructor(parts: HandOverParts) {
    this.#parts = parts;
  }

  /** May the holder of this task's credential come in? From memory, at once. */
  admit(key: TaskKey): Admission {
    const { memory, observer, expectations } = this.#parts;
    if (memory.firstPassAtMs === null)
      return { answer: 'not-yet', reason: 'the launcher is starting' };
    const sid = memory.sidOf(key);
    const room = sid === null ? undefined : memory.rooms.get(sid);
    if (room && isGone(room)) return { answer: 'gone', reason: 'the room is over' };
    const task = observer.task(key);
    if (task?.phase === 'ended') return { answer: 'gone', reason: 'this task has ended' };
    if (task || expectations.awaits(key)) return { answer: 'welcome' };
    return { answer: 'not-yet', reason: 'the engine does not list this task' };
  }

  /** The look right before an offer. Never rejects: what cannot be seen is `wait`. */
  async look(key: TaskKey, signal: AbortSignal): Promise<Look> {
    const { memory, clock } = this.#parts;
    const ending = memory.tasks.get(key)?.ending ?? null;
    const isEnded = { decision: 'gone', reason: 'this task is being ended' } as const;
    const sid = memory.sidOf(key);
    if (sid === null) {
      return ending ? isEnded : { decision: 'idle', reason: 'a standby that no room has' };
    }
    const room = memory.room(sid);
    if (isGone(room)) return this.#late(key, room);
    if (ending) return isEnded;
    if (room.name === null) return { decision: 'wait', reason: 'no list has shown its room yet' };
    try {
      return await this.#lookAt(key, sid, room.name, signal);
    } catch (error) {
      // It counts towards no deadline: without an answer the task cannot be given its job.
      room.unread.note(false, clock.nowMs());
      return { decision: 'wait', reason: `LiveKit did not answer: ${reasonOf(error)}` };
    }
  }

  /**
   * The room that this task may act on: its own, if it is live under its name. Never rejects: what
   * cannot be seen is `not-yet`. A task that is ended to be replaced, or is one too many, has no
   * room any more: its last words could be to delete the one that another task serves.
   */
  async roomOf(key: TaskKey, signal: AbortSignal): Promise<TaskRoom> {
    const { memory, livekit, nudge } = this.#parts;
    const admission = this.admit(key);
    if (admission.answer !== 'welcome') return admission;
    const cause = memory.tasks.get(key)?.ending?.cause;
    // A verdict does not depend on what runs in the task.
    if (cause && REPLACED.has(endStyle(cause, { runner: true }).verdict)) {
      return { answer: 'gone', reason: 'this task has lost its room' };
    }
    const sid = memory.sidOf(key);
    const name = sid !== null && memory.rooms.get(sid)?.name;
    if (sid === null || !name) return { answer: 'not-yet', reason: 'this task has no room yet' };
    try {
      const room = await livekit.roomInfo(name, signal);
      if (room?.sid === sid) return { answer: 'live', sid, name };
    } catch {
      // What the error says is not for tasks: it can name the project's key.
      return { answer: 'not-yet', reason: 'LiveKit does not answer' };
    }
    nudge(name);
    return { answer: 'gone', reason: 'the room is over' };
  }

  /** A standby that has no job yet can wait for another room; any other task is over. */
  #late(key: TaskKey, room: RoomMemory): Look {
    const { memory, nudge } = this.#parts;
    if (!isStandbyKey(key) || memory.task(key).assigned) {
      return { decision: 'gone', reason: 'the room is over' };
    }
    if (room.name !== null) nudge(room.name);
    return { decision: 'idle', reason: 'the room is over' };
  }

  async #lookAt(key: TaskKey, sid: RoomSid, name: string, signal: AbortSignal): Promise<Look> {
    const { livekit, memory, chooser, clock, nudge } = this.#parts;
    const { agentName = '' } = chooser.of(memory.room(sid));
    // For a room that is over LiveKit takes seconds to answer: waited for only with a live one.
    const dispatching = livekit.dispatchOf(name, agentName, signal);
    dispatching.catch(() => {});
    const [room, participants] = await Promise.all([
      livekit.roomInfo(name, signal),
      livekit.listParticipants(name, signal),
    ]);
    memory.room(sid).unread.note(true, clock.nowMs());
    if (room?.sid !== sid) {
      nudge(name);
      return { decision: 'wait', reason: 'its room is not listed' };
    }
    const agent = presentAgent(sid, participants);
    if (agent?.taskKey === key) return { decision: 'serving', sid };
    if (agent && !this.#isGhost(sid, agent.taskKey)) {
      nudge(name);
      return { decision: 'wait', reason: `${agentIdentity(sid)} is in the room already` };
    }
    const dispatch = await dispatching;
    const { dispatchId = '', metadata = roomJobMetadata(room.metadata) } = dispatch ?? {};
    return { decision: 'offer', job: { sid, room, agentName, dispatchId, metadata } };
  }

  /** An agent whose task has ended: LiveKit has not noticed yet, and a newcomer displaces it. */
  #isGhost(sid: RoomSid, taskKey: string | null): boolean {
    const task = this.#parts.observer.tasksOf(sid).find((each) => each.key === taskKey);
    return task?.phase === 'ended';
  }
}
