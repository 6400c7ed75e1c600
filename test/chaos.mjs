/**
 * `npm run chaos`: all set-up, then the scenarios of `test/chaos/`, long. `--only <name>` (also
 * several) plays some of them; `--rounds`, `--rooms` and `--seed` set what they say; `--really` lets
 * `engine-restart` end and start this machine's Docker engine. With `--short`, as `npm test` does. `--logs <folder>` gets
 * the launchers' logs of rounds that took long.
 */
import { resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fail } from './setup.mjs';

const value = { type: 'string' };
const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: value,
    rooms: value,
    seed: value,
    really: { type: 'boolean' },
    short: { type: 'boolean' },
    logs: value,
  },
});
const { only, really, short, logs } = values;
const chosen = {
  long: !short,
  only,
  rounds: numberOf('rounds'),
  rooms: numberOf('rooms'),
  seed: numberOf('seed'),
  really,
  logs: logs && resolve(logs),
};
process.env.CHAOS = JSON.stringify(chosen);
process.argv.splice(2, Infinity, '--project', 'chaos', '--disable-console-intercept');
await import('./test.mjs');

function numberOf(name) {
  const text = values[name];
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  fail(`--${name} is "${String(text)}": allowed is a whole number above 0`);
}
