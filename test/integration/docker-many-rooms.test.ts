/** Many rooms at once: each is served once, in turn, and nothing of them is left behind. */
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { containersOf, runningNames, startDockerBed } from '../support/docker-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { launches, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const ROOMS = 30;
const SERVED_DEADLINE_MS = 80_000;
const OVER_DEADLINE_MS = 40_000;
const TIMEOUT_MS = 150_000;
/** Passes run side by side: rooms that are heard of within a moment may change places. */
const OVERTAKEN_MAX = 8;

describeWith('livekit', 'docker')('thirty rooms at once', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test(
    'get thirty containers in turn; deleted at once, they leave none',
    { timeout: TIMEOUT_MS },
    async () => {
      const bed = await startDockerBed(cleanup);
      const { launcher, rooms } = bed;
      const names = Array.from({ length: ROOMS }, (_, i) => `room-${i}`);
      const made = await Promise.all(names.map((name) => rooms.createRoom({ name })));
      const serving = async () => {
        const states = (await launcher.rooms()).map(({ state }) => state);
        const count = states.filter((state) => state === 'serving').length;
        if (count < ROOMS) throw new Error(`${count} are served: ${states.join()}`);
        return true;
      };
      await waitFor('all to be served', serving, SERVED_DEADLINE_MS);
      const all = await Promise.all(names.map((name) => served(bed, name)));
      expect(all.map(({ key }) => key)).toEqual(made.map(({ sid }) => `r-${sid}-1`));

      const keys = all.map(({ key }) => key);
      expect(launches(launcher).toSorted()).toEqual(keys.toSorted());
      const heard = launcher
        .events('webhook.receive')
        .filter((event) => event['webhook_event'] === 'room_started')
        .map(({ sid }) => `r-${String(sid)}-1`);
      const begun = (await containersOf(bed)).map(({ Config }) =>
        String(Config.Labels['room-launcher.key']),
      );
      expect(begun.toSorted()).toEqual(keys.toSorted());
      const late = begun.map((key, place) => Math.abs(heard.indexOf(key) - place));
      expect(Math.max(...late)).toBeLessThanOrEqual(OVERTAKEN_MAX);

      await Promise.all(names.map((name) => rooms.deleteRoom(name)));
      const over = async () => {
        const left = await runningNames(bed);
        if (left.length > 0) throw new Error(`${left.length} run`);
        return true;
      };
      await waitFor('all to be over', over, OVER_DEADLINE_MS);
      const codes = (await containersOf(bed)).map(({ State }) => State.ExitCode);
      expect(codes).toEqual(Array(ROOMS).fill(0));
      expect(launches(launcher)).toHaveLength(ROOMS);
    },
  );
});
