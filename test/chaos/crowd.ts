/**
 * The rooms that are meant to be live, and their coming and going. What the crowd asks of LiveKit is
 * the intent that everything else is measured against.
 */
import type { RoomServiceClient } from 'livekit-server-sdk';
import { delay, systemClock } from '../../launcher/lib/clock.ts';
import { waitFor } from '../support/wait.ts';
import type { Random } from './random.ts';

/** Nobody joins most of these rooms: they must not end by themselves. */
const KEPT_SECONDS = 7_200;

/** What the scenarios' agent does, by its room's metadata: `test/fixtures/by-metadata.mjs`. */
export type Conduct = 'serves' | 'eats-memory' | 'hangs';

export class Crowd {
  /** Sid by name. */
  readonly live = new Map<string, string>();
  /** How many rooms there were in all. */
  made = 0;
  readonly #rooms: RoomServiceClient;
  readonly #random: Random;

  constructor(rooms: RoomServiceClient, random: Random) {
    this.#rooms = rooms;
    this.#random = random;
  }

  names(): string[] {
    return [...this.live.keys()];
  }

  /** Makes a room; resolves with its name. */
  async come(conduct: Conduct = 'serves'): Promise<string> {
    this.made += 1;
    const name = `room-${this.made}`;
    await this.#make(name, conduct);
    return name;
  }

  async go(name: string): Promise<void> {
    this.live.delete(name);
    await this.#rooms.deleteRoom(name);
  }

  /** Ends rooms that somebody else has made: an agent that came back to one that was over. */
  async clear(): Promise<void> {
    const strays = (await this.#rooms.listRooms()).filter(({ name }) => !this.live.has(name));
    await Promise.all(strays.map(({ name }) => this.#rooms.deleteRoom(name)));
  }

  /** Makes rooms until there are `count`. */
  async fill(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count - this.live.size }, () => this.come()));
  }

  /** `come` rooms more and `go` rooms less, each at a moment of its own within `withinMs`. */
  async churn(change: { come: number; go: number; withinMs: number }): Promise<string> {
    const leaving = this.#random.some(change.go, this.names());
    const steps = [
      ...leaving.map((name) => () => this.go(name)),
      ...Array.from({ length: change.come }, () => () => this.come()),
    ];
    await Promise.all(
      steps.map(async (step) => {
        await delay(systemClock, this.#random.between(0, change.withinMs));
        await step();
      }),
    );
    return `${change.come} came, ${leaving.length} went`;
  }

  /** Makes every room again that the server has forgotten, as people do who come back. */
  async comeBack(): Promise<void> {
    this.made += this.live.size;
    await Promise.all(this.names().map((name) => this.#make(name, 'serves')));
  }

  async #make(name: string, conduct: Conduct): Promise<void> {
    const kept = { emptyTimeout: KEPT_SECONDS, departureTimeout: KEPT_SECONDS };
    const options = { name, ...kept, ...(conduct !== 'serves' && { metadata: conduct }) };
    // A server that just started may refuse its first calls.
    const room = await waitFor('the room', () => this.#rooms.createRoom(options));
    this.live.set(name, room.sid);
  }
}
