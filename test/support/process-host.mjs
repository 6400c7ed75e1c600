/**
 * A launcher process in small, for the contract suite: holds one process driver and carries out
 * what it is told, one JSON line per message.
 *
 *     node process-host.mjs <compiled driver.js> <stateDir> <deployment>
 *
 * In: {id, verb, args} or {id, abort: true}. Out: {id, value | error}, {nudge: true}.
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [driverFile, stateDir, deployment] = process.argv.slice(2);
const { processDriver } = await import(pathToFileURL(driverFile).href);
const { essentialEnv } = await import(new URL('environment.js', pathToFileURL(driverFile)).href);

const say = (message) => process.stdout.write(`${JSON.stringify(message, infinityAsText)}\n`);
const driver = processDriver({
  stateDir,
  deployment,
  command: (template) => ['/bin/sh', template],
  baseEnv: essentialEnv(process.env),
});
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
    say({ id, value: await carryOut(verb, args, caller) });
  } catch (error) {
    say({ id, error: { kind: error.kind, message: error.message } });
  } finally {
    aborts.delete(id);
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
