/**
 * Patches a copy of the sources with each mutant in turn, runs the simulation on it, and says which
 * seed killed it. A mutant that survives fails the run, as does a patch that no longer fits.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs, promisify } from 'node:util';
import { MUTANTS, type Mutant } from './mutants.ts';

const run = promisify(execFile);
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3000' },
    /** Only mutants whose name holds this. */
    only: { type: 'string', default: '' },
  },
});
const AT_ONCE = 2;
/** A mutant may loop: that kills it too. Longer than a survivor takes on a busy machine. */
const TIMEOUT_MS = 600_000;
const SCRATCH = join('.cache', 'mutants');

interface Fate {
  readonly seed?: number;
  readonly after?: number;
  readonly invariant: string;
}

/** Null: it survived. */
async function fateOf(mutant: Mutant, folder: string): Promise<Fate | null> {
  await mkdir(folder, { recursive: true });
  const parts = ['launcher', 'test/simulation', 'test/fakes', 'tsconfig.json', 'package.json'];
  for (const part of parts) await cp(part, join(folder, part), { recursive: true });
  await cp('tsconfig.simulation.json', join(folder, 'tsconfig.simulation.json'));
  for (const patch of mutant.patches) await apply(patch, folder);
  const tsc = [join('node_modules', 'typescript', 'bin', 'tsc'), '--noCheck', '-p'];
  await run(process.execPath, [...tsc, join(folder, 'tsconfig.simulation.json')]);
  const cli = join(folder, '.cache', 'simulation', 'test', 'simulation', 'cli.js');
  try {
    const seeds = ['--seeds', values.seeds, '--first'];
    await run(process.execPath, [cli, ...seeds], { timeout: TIMEOUT_MS });
    return null;
  } catch (error) {
    const { stdout = '', killed = false, stderr = '' } = error as Partial<Ended>;
    if (killed) return { invariant: 'it never came to an end' };
    if (stdout.startsWith('{')) return JSON.parse(stdout) as Fate;
    throw new Error(`"${mutant.name}" could not be run: ${stderr || stdout}`, { cause: error });
  }
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly killed: boolean;
}

async function apply({ file, find, replace }: Mutant['patches'][number], folder: string) {
  const path = join(folder, file);
  const text = await readFile(path, 'utf8');
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`a patch fits ${times} times into ${file}: ${find}`);
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}

const chosen = MUTANTS.filter(({ name }) => name.includes(values.only));
const waiting = [...chosen.entries()];
let survivors = 0;
await rm(SCRATCH, { recursive: true, force: true });
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, mutant] = next;
      const fate = await fateOf(mutant, join(SCRATCH, String(index)));
      if (fate === null) survivors += 1;
      console.log(`${fate === null ? 'SURVIVED' : 'killed  '}  ${mutant.name}${told(fate)}`);
    }
  }),
);
await rm(SCRATCH, { recursive: true, force: true });
console.log(`${chosen.length} mutants, ${survivors} survived`);
process.exit(survivors === 0 ? 0 : 1);

function told(fate: Fate | null): string {
  if (fate === null) return ` ${values.seeds} seeds`;
  const by = fate.seed === undefined ? '' : `, by seed ${fate.seed} after ${fate.after}`;
  return `: "${fate.invariant}"${by}`;
}
