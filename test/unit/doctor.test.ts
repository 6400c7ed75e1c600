/** `room-launcher doctor` on a file: the table, a room's profile, what `serve` would refuse; ECS. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { doctor, type DoctorOptions } from '../../launcher/doctor.ts';
import type { AskEcs } from '../../launcher/doctor/ecs.ts';
import { unseen } from '../../launcher/doctor/finding.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import { closeServer, listen } from '../../launcher/lib/listen.ts';

const FILE = `
profiles:
  - name: support
    match: { room: support-*, metadata: { tier: gold, level: 2 } }
    image: agents/support:1
    cpu: 1.5
    memoryMiB: 2048
    env: { MODE: not-for-a-table }
  - name: skip
    match: { room: test-* }
    launch: false
  - name: rest
    image: agents/rest:1
`;
const ROWS = [
  'PROFILE  ROOMS                                     LAUNCHES          CPU  MEMORY    STANDBY',
  'support  name support-*, tier = "gold", level = 2  agents/support:1  1.5  2048 MiB  0',
  'skip     name test-*                               nothing           -    -         -',
  'rest     every room                                agents/rest:1     1    1024 MiB  0',
];
const WELL = 'ok             settings  all can be used in good.yaml, 3 profiles';
const GOLD = '{"tier":"gold","level":2}';
const asking = (profile: string) => JSON.stringify({ 'room-launcher': { profile } });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  await writeFile(join(folder, 'good.yaml'), FILE);
  await writeFile(join(folder, 'bad.yaml'), 'profiles:\n  - name: a\n    imagee: a:1\n');
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true }));

async function examine(
  options: DoctorOptions,
  env: Record<string, string> = {},
  ask?: AskEcs,
  signal = new AbortController().signal,
  isTTY = false,
) {
  const out = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY,
    write: (text: string) => (out[name] += text),
  });
  const io = { env, cwd: folder, stdout: stream('stdout'), stderr: stream('stderr'), signal };
  const alone = options.askEngine ? {} : { offline: true as const };
  const code = await doctor({ ...alone, ...options }, io, ask);
  return { code, ...out };
}

describe('doctor', () => {
  it('prints the profiles of a file in their order', async () => {
    const end = await examine({ config: 'good.yaml' });
    const stdout = `${ROWS.join('\n')}\n\n${WELL}\n\n0 wrong, 1 ok\n`;
    expect(end).toEqual({ code: 0, stdout, stderr: '' });
    const byEnvironment = await examine({}, { LAUNCHER_CONFIG: join(folder, 'good.yaml') });
    expect(byEnvironment).toEqual({ ...end, stdout: stdout.replace(' in good.yaml', '') });
  });

  it('is coloured on a terminal that can, and on no other', async () => {
    const shown = ['xterm', 'dumb'].map(async (TERM) => {
      const end = await examine({ config: 'good.yaml' }, { TERM }, undefined, undefined, true);
      return end.stdout;
    });
    expect(await shown[0]).toContain('\u001B[32mok ');
    expect(await shown[1]).not.toContain('\u001B');
  });

  it('prints them for programs', async () => {
    const { code, stdout } = await examine({ config: 'good.yaml', json: true, room: 'test-1' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      driver: 'docker',
      profiles: [
        {
          name: 'support',
          match: { room: 'support-*', metadata: { tier: 'gold', level: 2 } },
          launch: true,
          template: 'agents/support:1',
          cpu: 1.5,
          memoryMiB: 2048,
          standby: 0,
        },
        expect.objectContaining({ name: 'skip', launch: false, template: null }),
        expect.objectContaining({ name: 'rest', match: null }),
      ],
      room: { profile: 'skip', by: 'match', launch: false },
      checks: [
        {
          check: 'settings',
          findings: [{ outcome: 'ok', text: 'all can be used in good.yaml, 3 profiles' }],
          tookMs: expect.any(Number),
        },
      ],
    });
  });

  it.each<[string, string | null, string]>([
    ['support-1', GOLD, 'Such a room gets profile support: it is the first that matches.'],
    ['support-1', null, 'Such a room gets profile rest: it is the first that matches.'],
    ['x', asking('support'), 'Such a room gets profile support: its metadata names it.'],
    [
      'test-1',
      null,
      'gets profile skip: it is the first that matches. Nothing is launched for it.',
    ],
  ])('says which profile room %s with metadata %s gets', async (room, metadata, line) => {
    const given = metadata === null ? {} : { metadata };
    const { code, stdout } = await examine({ config: 'good.yaml', room, ...given });
    expect(code).toBe(0);
    expect(stdout).toContain(line);
  });

  it('says that no profile matches, and what is odd about metadata', async () => {
    const asked = { config: 'lone.yaml', room: 'x' };
    await writeFile(join(folder, 'lone.yaml'), FILE.replace(/ {2}- name: rest[^]*/, ''));
    expect((await examine(asked)).stdout).toContain('No profile matches such a room');
    const unknown = await examine({ ...asked, metadata: asking('suport') });
    expect(unknown.stdout).toContain(
      'warning        settings  the metadata names profile "suport", which does not exist\n',
    );
    const odd = await examine({ ...asked, metadata: '{"a":' });
    expect(odd.stdout).toContain('is no JSON object');
    expect([unknown.code, odd.code]).toEqual([0, 0]);
  });

  it('warns of profiles that no match reaches', async () => {
    const end = await examine({ config: 'good.yaml' }, { LAUNCHER_AGENT_IMAGE: 'mine:1' });
    expect(end.stdout).toContain(
      'warning        settings  profile default serves only rooms whose metadata names it: ' +
        'rest before it matches every room\n',
    );
    expect(end.stdout).toContain('\n0 wrong, 1 warning, 1 ok\n');
    expect(end).toMatchObject({ code: 0, stdout: expect.stringContaining('mine:1') });
  });

  it('refuses what serve would refuse, by line and key', async () => {
    const line =
      'profiles[0].imagee in line 3 of the file of LAUNCHER_CONFIG is no key of a profile; ' +
      'did you mean image?';
    const end = await examine({ config: 'bad.yaml' });
    expect(end).toEqual({ code: 64, stdout: '', stderr: `room-launcher: ${line}\n` });
    const { code, stdout } = await examine({ config: 'bad.yaml', json: true });
    expect([code, JSON.parse(stdout)]).toEqual([64, { ok: false, errors: [line] }]);
  });

  it('refuses a file that is not there, and a bad environment', async () => {
    expect(await examine({ config: 'none.yaml' })).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('"none.yaml": the file cannot be read (ENOENT)'),
    });
    expect(await examine({ config: 'good.yaml' }, { LAUNCHER_RETRIES: 'x' })).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('LAUNCHER_RETRIES is "x"'),
    });
  });

  describe('with --ask-engine', () => {
    const ECS = {
      LAUNCHER_DRIVER: 'ecs',
      LAUNCHER_ECS_CLUSTER: 'agents',
      LAUNCHER_ECS_TASK_DEFINITION: 'agent:3',
      LAUNCHER_ECS_SUBNETS: 'subnet-1',
      LAUNCHER_GATEWAY_URL: 'ws://launcher.internal:8083',
    };
    const wrong = 'task definition agent:3 has no container named agent (it has web): …';
    const denied = 'cluster agents: … is not authorized to perform: ecs:DescribeClusters';

    it('says what is wrong in ECS and what could not be looked at', async () => {
      const asked: unknown[] = [];
      const ask: AskEcs = async (engine, deployment, templates) => {
        asked.push(engine.cluster, deployment, ...templates);
        return [
          { level: 'wrong', text: wrong },
          { level: 'unseen', text: denied },
        ];
      };
      const end = await examine({ askEngine: true }, ECS, ask);
      expect(end).toMatchObject({ code: 1, stderr: '' });
      expect(end.stdout).toContain(`wrong          engine    ${wrong}\n`);
      expect(end.stdout).toContain(`not looked at  engine    ${denied}\n`);
      expect(asked).toEqual(['agents', 'default', 'agent:3']);
      const { stdout } = await examine({ askEngine: true, json: true }, ECS, ask);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false });
    });

    it('is well where nothing is wrong, and asks nobody without it', async () => {
      let asked = 0;
      const ask: AskEcs = async () => {
        asked += 1;
        return [];
      };
      expect(await examine({ askEngine: true }, ECS, ask)).toMatchObject({ code: 0, stderr: '' });
      expect(await examine({}, ECS, ask)).toMatchObject({ code: 0, stderr: '' });
      expect(asked).toBe(1);
    });

    it('ends at once with its user, and says what it has seen', async () => {
      const end = new AbortController();
      const silent = createServer(() => end.abort('SIGINT'));
      try {
        const port = await listen(silent, { host: '127.0.0.1', port: 0 }, 'the test');
        const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, LAUNCHER_AGENT_IMAGE: 'mine:1' };
        const given = { askEngine: true, json: true } as const;
        const { code, stdout } = await examine(given, env, undefined, end.signal);
        expect(code).toBe(130);
        expect(JSON.parse(stdout)).toMatchObject({
          ok: false,
          checks: [
            { check: 'settings', findings: [{ outcome: 'ok' }] },
            { check: 'engine', findings: [unseen('the doctor was ended before')] },
            { check: 'images', findings: [{ outcome: 'unseen' }] },
          ],
        });
      } finally {
        await closeServer(silent, systemClock, 0);
      }
    });

    it('says in one line that there is no region', async () => {
      const nowhere = [
        'AWS_REGION',
        'AWS_PROFILE',
        'AWS_CONFIG_FILE',
        'AWS_SHARED_CREDENTIALS_FILE',
      ];
      for (const name of nowhere) vi.stubEnv(name, name.endsWith('FILE') ? '/none' : undefined);
      const end = await examine({ askEngine: true }, ECS);
      expect(end).toMatchObject({
        code: 1,
        stdout: expect.stringContaining(
          'wrong          engine    no region of AWS can be told (Region is missing): ' +
            'set AWS_REGION to the one of the ECS cluster\n',
        ),
      });
    });
  });
});
