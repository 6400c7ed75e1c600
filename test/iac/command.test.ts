/** `npm run synth` as a user runs it: on a machine without AWS and without a way out. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { LEAST, OUT, REGION, ROOT } from '../support/iac.ts';

const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
const output = join(OUT, 'command');
afterAll(() => rm(output, { recursive: true, force: true }));

async function synth(context: Readonly<Record<string, string>>) {
  const given = Object.entries(context).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const { PATH, HOME } = process.env;
  // A proxy that is not there: whatever asks somebody outside fails.
  const nowhere = 'http://127.0.0.1:1';
  const env = { PATH, HOME, AWS_REGION: REGION, HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere };
  const run = promisify(execFile)(
    process.execPath,
    [CDK, 'synth', '--quiet', '--output', output, ...given],
    { cwd: ROOT, env: { ...env, AWS_EC2_METADATA_DISABLED: 'true' } },
  );
  return run.then(
    ({ stderr }) => ({ code: 0, stderr }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  );
}

interface DockerImage {
  readonly source: { readonly directory: string; readonly dockerFile?: string };
}

/** What `deploy` would build: folders with what was copied there for it, and their Dockerfiles. */
async function toBuild(): Promise<{ folder: string; dockerfile: string }[]> {
  const [manifest = ''] = (await readdir(output)).filter((name) => name.endsWith('.assets.json'));
  const { dockerImages } = JSON.parse(await readFile(join(output, manifest), 'utf8'));
  return Object.values<DockerImage>(dockerImages).map(({ source }) => {
    const folder = join(output, source.directory);
    return { folder, dockerfile: join(folder, source.dockerFile ?? 'Dockerfile') };
  });
}

it('makes the stack, with all that both images are built from', async () => {
  const { launcherImage, agentImage, ...least } = LEAST;
  expect([launcherImage, agentImage]).not.toContain(undefined);
  const agentDirectory = 'agent-image/examples/python';
  expect(await synth({ ...least, agentDirectory })).toEqual({ code: 0, stderr: '' });
  const all = await toBuild();
  expect(all).toHaveLength(2);
  for (const { folder, dockerfile } of all) {
    expect(existsSync(dockerfile), dockerfile).toBe(true);
    const text = await readFile(dockerfile, 'utf8');
    // Not what another stage or a mount has: what comes from the folder.
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' ').filter((name) => !name.startsWith('-')),
    );
    expect(copied.length).toBeGreaterThan(0);
    for (const name of copied) expect(existsSync(join(folder, name)), name).toBe(true);
  }
});

it('says all that is missing, a line each, and nothing of its own insides', async () => {
  const { code, stderr } = await synth({ launcherImage: 'launcher:1' });
  expect(code).toBe(1);
  const lines = stderr.split('\n').filter((line) => line.startsWith('room-launcher: '));
  expect(lines.map((line) => line.split(' ')[1])).toEqual([
    'livekitUrl',
    'livekitSecret',
    'agentImage',
    'domainName',
  ]);
  expect(stderr).not.toMatch(/\n\s+at /);
});
