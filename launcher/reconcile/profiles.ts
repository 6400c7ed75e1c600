/**
 * Which profile a room has now: by its name and by the metadata that the newest list showed.
 *
 * It is chosen anew each time. A change of metadata counts from the next pass on: for the next
 * launch, and for what the room's running task is held to; the task itself stays what it is.
 */
import type { KeyedTask } from '../core/action.ts';
import { profileFor, type Choice, type Profile, type Profiles } from '../core/desired.ts';
import type { RoomMemory } from '../core/remembered.ts';
import type { Log } from '../lib/log.ts';

/** What may be logged of a text that anybody who opens a room can write. */
const PROFILE_NAME = /^[a-z0-9-]{1,24}$/;

/** A task: where its engine cannot tell whether it runs our runner, its profile says. */
export function asProfileSays(
  task: KeyedTask,
  { runner }: Pick<Profile, 'runner'> = {},
): KeyedTask {
  return { ...task, runner: task.runner ?? runner === true };
}

export class ProfileChooser {
  readonly #profiles: Profiles;
  readonly #log: Log;
  /** Rooms whose metadata names no profile that exists, and of which that was said. */
  readonly #warned = new WeakSet<RoomMemory>();

  constructor(profiles: Profiles, log: Log) {
    this.#profiles = profiles;
    this.#log = log;
  }

  /** A room whose name is not known (after a restart) has none of the profiles. */
  of(room: RoomMemory): Profile {
    const { name, metadata } = room;
    if (name === null) return this.#profiles.unmatched;
    const choice = profileFor({ name, metadata }, this.#profiles);
    this.#warn(room, choice);
    return choice.profile;
  }

  #warn(room: RoomMemory, { profile, unknownName }: Choice): void {
    if (unknownName === null || this.#warned.has(room)) return;
    this.#warned.add(room);
    const asked = PROFILE_NAME.test(unknownName) ? unknownName : undefined;
    this.#log.warn("a room's metadata names a profile that does not exist; its match decides", {
      sid: room.sid,
      asked,
      profile: profile.name || null,
    });
  }
}
