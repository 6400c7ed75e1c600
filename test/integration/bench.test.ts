/** `npm run bench -- --quick` measures every way and writes all that a full run does. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { GROUPS, WAYS } from '../bench/names.mjs';
import { docker } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';

/** Images are built before, where they are not yet. */
const DEADLINE_MS = 600_000;

/** Who may look into the memory of a container's processes. */
const ROOT_USER = process.getuid?.() === 0;

interface Result {
  readonly rows: readonly { group: string; name: string; values: number[] }[];
}

const withAllParts = describeWith('livekit', 'docker', 'foreign', 'python-agents');

withAllParts('npm run bench -- --quick', () => {
  it(
    'measures every way, and leaves nothing behind',
    async () => {
      const out = await mkdtemp(join(tmpdir(), 'bench-test-'));
      onTestFinished(() => rm(out, { recursive: true, force: true }));
      const before = await benchContainers();
      const args = ['run', '--silent', 'bench', '--', '--quick', '--out', out];
      const { stdout } = await promisify(execFile)('npm', args, { env: process.env });
      const files = ['burst-2.svg', 'create-to-active.svg', ...(ROOT_USER ? ['memory.svg'] : [])];
      expect((await readdir(out)).toSorted()).toEqual(['benchmarks.json', ...files]);
      for (const file of files) expect(await readFile(join(out, file), 'utf8')).toMatch(/^<svg /);
      for (const name of Object.values(WAYS)) expect(stdout).toContain(name);
      const { rows }: Result = JSON.parse(await readFile(join(out, 'benchmarks.json'), 'utf8'));
      const active = rows.filter(({ group }) => group === GROUPS.active);
      expect(active.map(({ name }) => name).toSorted()).toEqual(Object.values(WAYS).toSorted());
      const groups = new Set(rows.map(({ group }) => group));
      const { text, audio, exit, idle, busy, cpu, each, last } = GROUPS;
      const memory = ROOT_USER ? [idle, busy] : [];
      for (const group of [text, audio, exit, ...memory, cpu, each(2), last(2)])
        expect(groups).toContain(group);
      const values = rows.flatMap((row) => row.values);
      expect(values.filter((value) => !Number.isFinite(value) || value <= 0)).toEqual([]);
      expect((await benchContainers()).filter((name) => !before.includes(name))).toEqual([]);
    },
    DEADLINE_MS,
  );
});

/** Of any run: no other one is on this machine meanwhile. */
async function benchContainers(): Promise<string[]> {
  const filters = { label: ['room-launcher.deployment'] };
  const rows = await docker.listContainers({ all: true, filters });
  return rows.flatMap(({ Names }) => Names).filter((name) => name.startsWith('/bench-'));
}
