/**
 * Runs stories of many seeds and says how many steps a second, which faults, and, for a seed that
 * breaks an invariant, the shortest story that still does and how to run it again.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Fields, Log } from '../../launcher/lib/log.ts';
import { report } from './ecs/report.ts';
import { FOUND } from './found.ts';
import { runStory } from './run.ts';
import { shrink } from './shrink.ts';
import { makeStory, type Story, tellStory } from './story.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    /** Gives every story a warm pool of this size. */
    standby: { type: 'string' },
    /** Prints the launcher's log of the shortest story. */
    log: { type: 'boolean', default: false },
    /** For the mutants: the seeds that found something go first, and only the first that breaks is
     * told, in one line. */
    first: { type: 'boolean', default: false },
    /** `ecs`: no stories, but the launcher on ECS at an account's rates. */
    profile: { type: 'string' },
  },
});

if (values.profile !== undefined) {
  if (values.profile !== 'ecs') {
    console.error(`--profile is "${values.profile}"; it must be "ecs"`);
    process.exit(64);
  }
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  await report((line) => console.log(line));
  process.exit(0);
}

const seeds = wholeNumber('seeds', values.seeds);
const from = wholeNumber('from', values.from);
const drawn = new Map<string, number>();
const broken: number[] = [];
let steps = 0;
const beganMs = performance.now();

let told = 0;
for (const story of stories()) {
  const { seed } = story;
  told += 1;
  const outcome = await runStory(story);
  steps += outcome.steps;
  for (const [what, times] of outcome.drawn) drawn.set(what, (drawn.get(what) ?? 0) + times);
  if (!outcome.violation) continue;
  broken.push(seed);
  if (values.first) {
    const { invariant, detail } = outcome.violation;
    console.log(JSON.stringify({ seed, after: told, invariant, detail }));
    process.exit(1);
  }
  await tell(story, outcome.violation.invariant);
}

const tookS = (performance.now() - beganMs) / 1_000;
console.log(
  `${seeds} seeds from ${from}: ${steps.toLocaleString('en')} steps in ${tookS.toFixed(1)} s, ` +
    `${Math.round(steps / tookS).toLocaleString('en')} a second`,
);
for (const [what, times] of [...drawn].toSorted(([, a], [, b]) => b - a)) {
  console.log(`  ${what.padEnd(18)} ${times.toLocaleString('en').padStart(9)}`);
}
console.log(broken.length === 0 ? 'every invariant held' : `broken: seeds ${broken.join(', ')}`);
process.exit(broken.length === 0 ? 0 : 1);

async function tell(story: Story, invariant: string): Promise<void> {
  const shortest = await shrink(story, invariant);
  const { violation, startMs } = await runStory(shortest, values.log ? printing : undefined);
  const atS = ((violation?.atMs ?? startMs) - startMs) / 1_000;
  console.log(`seed ${story.seed} broke "${invariant}" at ${atS} s: ${violation?.detail}`);
  console.log(tellStory(shortest));
  const pool = values.standby === undefined ? '' : ` --standby ${values.standby}`;
  console.log(`  again: npm run simulate -- --seeds 1 --from ${story.seed}${pool} --log\n`);
}

function* stories(): Generator<Story> {
  const { standby, first } = values;
  const pool = standby === undefined ? undefined : wholeNumber('standby', standby, 0);
  if (first) for (const found of FOUND) yield makeStory(found.seed, found.standby);
  for (let seed = from; seed < from + seeds; seed++) yield makeStory(seed, pool);
}

function printing(nowMs: () => number, launcher: number): Log {
  const print = (text: string, fields: Fields = {}) => {
    const at = (nowMs() / 1_000).toFixed(3).padStart(10);
    console.log(`  ${at} [${launcher}] ${text} ${JSON.stringify(fields)}`);
  };
  const say = (text: string, fields?: Fields) => print(text, fields);
  return {
    debug: say,
    info: say,
    warn: say,
    error: say,
    event: (name, fields) => print(name, fields),
  };
}

function wholeNumber(name: string, text: string, least = 1): number {
  if (/^[0-9]{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  console.error(`--${name} is "${text}"; it must be a whole number from ${least}`);
  process.exit(64);
}
