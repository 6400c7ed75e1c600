/**
 * `npm run chaos`: all set-up, then the scenarios of `test/chaos/`, long. `--only <name>` (also
 * several) plays some of them; `--rounds`, `--rooms` and `--seed` set what they say; `--really` lets
 * `engine-restart` end and start this machine's Docker engine. With `--short`, as `npm test` does.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';

const number = { type: 'string' };
const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: number,
    rooms: number,
    seed: number,
    really: { type: 'boolean' },
    short: { type: 'boolean' },
  },
});
const { only, rounds, rooms, seed, really, short } = values;
const whole = (text) => (text === undefined ? undefined : Number(text));
const chosen = {
  long: !short,
  only,
  rounds: whole(rounds),
  rooms: whole(rooms),
  seed: whole(seed),
  really,
};
process.env.CHAOS = JSON.stringify(chosen);
process.argv.splice(2, Infinity, '--project', 'chaos', '--disable-console-intercept');
await import('./test.mjs');
