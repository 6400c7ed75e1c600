/** `room-launcher doctor` on a file: the table, a room's profile, and what `serve` would refuse. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AskEngine, doctor, type DoctorOptions } from '../../launcher/doctor.ts';

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

async function examine(options: DoctorOptions, env: Record<string, string> = {}, ask?: AskEngine) {
  const out = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (out[name] += text) });
  const io = { env, cwd: folder, stdout: stream('stdout'), stderr: stream('stderr') };
  const code = await doctor(options, io, ask);
  return { code, ...out };
}

describe('doctor', () => {
  it('prints the profiles of a file in their order', async () => {
    const end = await examine({ config: 'good.yaml' });
    expect(end).toEqual({ code: 0, stdout: `${ROWS.join('\n')}\n`, stderr: '' });
    expect(await examine({}, { LAUNCHER_CONFIG: join(folder, 'good.yaml') })).toEqual(end);
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
      warnings: [],
      room: { profile: 'skip', by: 'match', launch: false },
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
    expect(unknown.stderr).toBe(
      'room-launcher: warning: the metadata names profile "suport", which does not exist\n',
    );
    const odd = await examine({ ...asked, metadata: '{"a":' });
    expect(odd.stderr).toContain('is no JSON object');
    expect([unknown.code, odd.code]).toEqual([0, 0]);
  });

  it('warns of profiles that no match reaches', async () => {
    const end = await examine({ config: 'good.yaml' }, { LAUNCHER_AGENT_IMAGE: 'mine:1' });
    expect(end.stderr).toBe(
      'room-launcher: warning: profile default serves only rooms whose metadata names it: ' +
        'rest before it matches every room\n',
    );
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
    const unseen = 'cluster agents: … is not authorized to perform: ecs:DescribeClusters';

    it('says what is wrong in ECS and what could not be looked at', async () => {
      const asked: unknown[] = [];
      const ask: AskEngine = async (engine, deployment, { list }) => {
        asked.push(engine.cluster, deployment, list.length);
        return { wrong: [wrong], unseen: [unseen] };
      };
      const end = await examine({ askEngine: true }, ECS, ask);
      expect(end.code).toBe(1);
      expect(end.stdout).toContain('agent:3');
      expect(end.stderr).toBe(`room-launcher: warning: ${unseen}\nroom-launcher: ${wrong}\n`);
      expect(asked).toEqual(['agents', 'default', 1]);
      const { stdout } = await examine({ askEngine: true, json: true }, ECS, ask);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, warnings: [unseen], errors: [wrong] });
    });

    it('is well where nothing is wrong, and asks nobody without it', async () => {
      let asked = 0;
      const ask: AskEngine = async () => {
        asked += 1;
        return { wrong: [], unseen: [] };
      };
      expect(await examine({ askEngine: true }, ECS, ask)).toMatchObject({ code: 0, stderr: '' });
      expect(await examine({}, ECS, ask)).toMatchObject({ code: 0, stderr: '' });
      expect(asked).toBe(1);
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
        stderr:
          'room-launcher: no region of AWS can be told (Region is missing): ' +
          'set AWS_REGION to the one of the ECS cluster\n',
      });
    });

    it('is for ECS alone', async () => {
      expect(await examine({ config: 'good.yaml', askEngine: true })).toMatchObject({
        code: 64,
        stderr: 'room-launcher: --ask-engine is for LAUNCHER_DRIVER=ecs; leave it out\n',
      });
    });
  });
});
