/**
 * `npm run bench`: a container for each room beside a process for each room. LiveKit's own workers,
 * our runner, ordinary agents' images and the process driver on one machine in one run, taking turns;
 * then the launcher alone. docs/benchmarks.md says how each figure is measured.
 *
 * `--quick`: a little of everything, whose times mean nothing. `--only <parts of names>`, by commas:
 * these ways alone. `--rounds N`: of rooms one at a time. `--image I`: our runner's, instead of one
 * that is built of the example agent. `--out <folder>`: where JSON and charts go, .cache/bench by
 * default. `--publish`: to docs/ as well. Needs a build, Docker on this machine, and Python.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Bed } from './bed.mjs';
import { bursts } from './burst.mjs';
import { charts } from './charts.mjs';
import { Figures } from './figures.mjs';
import { goals } from './goals.mjs';
import { images } from './images.mjs';
import { measureLauncher } from './launcher/measure.mjs';
import { machine } from './machine.mjs';
import { memory } from './memory.mjs';
import { WAYS } from './names.mjs';
import { burstsOf, planOf } from './plan.mjs';
import { publish, rounded } from './publish.mjs';
import { activeRounds, callRounds, holdRounds } from './rounds.mjs';
import { textTables } from './table.mjs';
import { starters } from './ways.mjs';
import { POOL } from './worker.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
    image: { type: 'string' },
    out: { type: 'string', default: join(ROOT, '.cache/bench') },
    publish: { type: 'boolean', default: false },
  },
});

async function main(bed, figures) {
  if (options.publish && (options.quick || options.only !== ''))
    throw new Error('--publish is for a whole run');
  const beganMs = performance.now();
  const plan = planOf(options);
  const seconds = () => Math.round((performance.now() - beganMs) / 1_000);
  const run = {
    figures,
    hasty: plan.hasty,
    /** Whether the machine came to rest before each measurement. */
    rests: [],
    progress: (line) => console.error(`${String(seconds()).padStart(5)} s  ${line}`),
  };
  const agents = await Promise.race([images(options.image), interrupted]);
  const facts = await machine(agents);
  const whole = measure(bed, agents, plan, run);
  const problem = await Promise.race([whole, interrupted]).catch((error) => error);
  const rows = figures.rows();
  const result = {
    takenAt: new Date().toISOString(),
    tookSeconds: seconds(),
    quick: options.quick,
    isWhole: problem === undefined,
    machine: facts,
    pool: POOL,
    rests: { wanted: run.rests.length, had: run.rests.filter(Boolean).length },
    rows,
    goals: goals(rows, POOL),
  };
  await write(result);
  if (problem) throw problem;
}

async function measure(bed, agents, plan, run) {
  const remembered = (key) => isWanted(key) && plan.memoryOf.includes(key);
  await memory(bed, agents, plan.memory, remembered, run);
  if (options.only === '') await alone(run);
  const inside = new Bed();
  await bed.defer(() => inside.end());
  const ways = await start(inside, agents, run);
  const all = Object.values(ways);
  const some = plan.some.flatMap((key) => ways[key] ?? []);
  await activeRounds(all, plan.active, run);
  for (const { rooms, times, keys } of burstsOf(plan)) {
    const taking = keys.flatMap((key) => ways[key] ?? []);
    await bursts(all, taking, rooms, times, run);
  }
  await callRounds(some, plan.calls, run);
  await holdRounds(some, plan.holds, plan.holdMs, run);
  await inside.end();
}

function isWanted(key) {
  return options.only.split(',').some((part) => WAYS[key].includes(part));
}

async function start(bed, agents, run) {
  const wanted = Object.entries(starters(agents)).filter(([key]) => isWanted(key));
  if (wanted.length === 0) throw new Error(`no way has "${options.only}" in its name`);
  const started = wanted.map(async ([key, begin]) => {
    const way = await begin(bed);
    run.progress(`started: ${way.name}`);
    return [key, way];
  });
  return Object.fromEntries(await Promise.all(started));
}

async function alone(run) {
  run.progress('the launcher alone');
  run.figures.addRows(await measureLauncher({ quick: options.quick }));
}

async function write(result) {
  mkdirSync(options.out, { recursive: true });
  const drawn = charts(result.rows);
  writeFileSync(join(options.out, 'benchmarks.json'), JSON.stringify(result, rounded, 1));
  for (const [name, svg] of Object.entries(drawn)) writeFileSync(join(options.out, name), svg);
  if (options.publish && result.isWhole) await publish(ROOT, result, drawn);
  console.log(textTables(result.rows, result.goals));
  const { had, wanted } = result.rests;
  console.log(
    `\n${result.tookSeconds} s; the machine was at rest before ${had} of ${wanted} rooms`,
  );
  console.log(`samples and charts: ${options.out}`);
}

const bed = new Bed();
const figures = new Figures();
/** What was measured by then is told and written. */
const interrupted = new Promise((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => reject(new Error(`ended by ${signal}`)));
});
try {
  await main(bed, figures);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await bed.end();
}
process.exit();
