/**
 * A launcher process in small, for the contract suite: holds one driver and carries out what it is
 * told, one JSON line per message.
 *
 *     node driver-host.mjs <folder of the compiled launcher> <driver's name> <its options as JSON>
 *
 * In: {id, verb, args} or {id, abort: true}. Out: {id, value | error}, {nudge: true}; of `logs` the
 * value true, if there are any, and then {id, text} until {id, over: true} or {id, over: error}.
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [folder, name, optionsText] = process.argv.slice(2);
const options = JSON.parse(optionsText);
const load = (file) => import(new URL(file, pathToFileURL(`${folder}/`)).href);
const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent, event: silent };

const openers = {
  async process() {
    const { processDriver } = await load('drivers/process/driver.js');
    const { essentialEnv } = await load('drivers/process/environment.js');
    return processDriver({
      ...options,
      command: (template) => ['/bin/sh', template],
      baseEnv: essentialEnv(process.env),
    });
  },
  async docker() {
    const { dockerDriver } = await load('drivers/docker/driver.js');
    const { systemClock } = await load('lib/clock.js');
    return dockerDriver({ ...options, clock: systemClock, log });
  },
};

const say = (message) => process.stdout.write(`${JSON.stringify(message, infinityAsText)}\n`);
const driver = await openers[name]();
const aborts = new Map();
let watch;

say({ traits: driver.traits });
createInterface({ input: process.stdin })
  .on('line', (line) => void handle(JSON.parse(line)))
  .on('close', () => process.exit(0));

async function handle({ id, verb, args, abort }) {
  if (abort) {
    aborts.get(id)?.abort();
    return;
  }
  const caller = new AbortController();
  aborts.set(id, caller);
  try {
    const value = await carryOut(verb, args, caller);
    say({ id, value: verb === 'logs' && value !== null ? true : value });
    if (verb === 'logs' && value !== null) await pass(id, value);
  } catch (error) {
    say({ id, error: { kind: error.kind, message: error.message } });
  } finally {
    aborts.delete(id);
  }
}

async function pass(id, output) {
  try {
    for await (const text of output) say({ id, text });
    say({ id, over: true });
  } catch ({ kind, message }) {
    say({ id, over: { kind, message } });
  }
}

async function carryOut(verb, args, caller) {
  if (verb === 'watch') watch = driver.watch(() => say({ nudge: true }));
  else if (verb === 'unwatch') await watch[Symbol.asyncDispose]();
  else return driver[verb](...args, caller.signal);
  return undefined;
}

function infinityAsText(_name, value) {
  return value === Infinity ? 'Infinity' : value;
}
