/** What the Docker driver promises beyond the driver contract, on a real engine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { LaunchRequest, ObservedTask, TaskKey } from '../../launcher/driver.ts';
import {
  type DockerDriver,
  dockerDriver,
  type DockerDriverOptions,
} from '../../launcher/drivers/docker/driver.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import { RecordedLog } from '../fakes/log.ts';
import { Cleanup } from '../support/cleanup.ts';
import {
  docker,
  ENGINE,
  outputOf,
  removeDeployment,
  shell,
  testImage,
  uniqueName,
} from '../support/docker-engine.ts';
import { engineProxy } from '../support/engine-proxy.ts';
import { imageRegistry } from '../support/image-registry.ts';
import { describeWith } from '../support/left-out.ts';
import { remoteDriver } from '../support/remote-driver.ts';
import { waitFor } from '../support/wait.ts';

const KEY = 'r-RM_1-1' as TaskKey;
const calm = () => new AbortController().signal;

function reaches(driver: DockerDriver, taskId: string, phase: string): Promise<ObservedTask> {
  return waitFor(`${taskId} ${phase}`, async () =>
    (await driver.list(calm())).find((task) => task.taskId === taskId && task.phase === phase),
  );
}

describeWith('docker')('the Docker driver', () => {
  const image = testImage('LABEL room-launcher.runner=1');
  let cleanup: Cleanup;
  let deployment: string;
  let log: RecordedLog;

  beforeAll(() => image.ready());
  afterAll(() => image.remove());
  beforeEach(() => {
    cleanup = new Cleanup();
    log = new RecordedLog();
    deployment = uniqueName('docker');
    cleanup.defer(() => removeDeployment(deployment));
  });
  afterEach(() => cleanup.run());

  function open(options: Partial<DockerDriverOptions> = {}): DockerDriver {
    const network = { mode: 'host' } as const;
    const common = { deployment, engine: ENGINE, network, clock: systemClock, log };
    return cleanup.use(dockerDriver({ ...common, ...options }));
  }

  function request(fields: Partial<LaunchRequest> = {}): LaunchRequest {
    const size = { cpu: 0.5, memoryMiB: 64, profile: 'default' };
    return { key: KEY, template: image.name, ...size, env: {}, ...fields };
  }

  async function accepted(driver: DockerDriver, fields: Partial<LaunchRequest> = {}) {
    const result = await driver.launch(request(fields), calm());
    if (result.outcome !== 'accepted') throw new Error(JSON.stringify(result));
    return result.task;
  }

  const warnings = (text: string) =>
    log.lines.filter((line) => line.level === 'warn' && line.text.includes(text));

  it('shows its hardening and limits to whoever inspects a task, and no secret', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'room-launcher-docker-'));
    cleanup.defer(() => rm(folder, { recursive: true }));
    const proxy = cleanup.use(await engineProxy(folder));
    const envFile = join(folder, 'agent.env');
    await writeFile(envFile, 'OPENAI_API_KEY=secret-of-the-agent\nLIVEKIT_API_SECRET=x\n');
    const driver = open({ engine: { host: proxy.host } });
    const task = await accepted(driver, { envFile });
    expect(task.runner).toBe(true);
    const { HostConfig, Config } = await docker.getContainer(task.taskId).inspect();
    expect(HostConfig).toMatchObject({
      NetworkMode: 'host',
      NanoCpus: 500_000_000,
      Memory: 67_108_864,
      MemorySwap: 67_108_864,
      PidsLimit: 1024,
      Init: true,
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      Binds: null,
    });
    expect(Config.User).toBe('10001');
    expect(JSON.stringify(Config.Labels)).not.toContain('secret');
    // Nor in an address, which proxies write down.
    expect(proxy.seen.join()).not.toContain('secret');
    expect(proxy.seen.join()).toContain('/v1.41/containers/create');
    expect(warnings('env file')).toHaveLength(1);
    // Its root cannot be written to, its /tmp can.
    await shell(task.taskId, 'if ! echo >/none; then echo 5 >/tmp/new; mv /tmp/new /tmp/exit; fi');
    expect((await reaches(driver, task.taskId, 'ended')).exit?.code).toBe(5);
  });

  it('makes one network for all who ask at once, without traffic between its tasks', async () => {
    const network = { mode: 'own' } as const;
    const drivers = Array.from({ length: 3 }, () => open({ network }));
    const tasks = await Promise.all(
      drivers.map((driver, room) =>
        // Refused while another launcher is about to make it: the same key again.
        waitFor('acceptance', () => accepted(driver, { key: `r-RM_${room}-1` as TaskKey })),
      ),
    );
    const used = await Promise.all(
      tasks.map(async ({ taskId }) => (await docker.getContainer(taskId).inspect()).HostConfig),
    );
    expect(new Set(used.map(({ NetworkMode }) => NetworkMode)).size).toBe(1);
    expect(used[0]?.ExtraHosts).toEqual(['host.docker.internal:host-gateway']);
    const seen = await docker.getNetwork(used[0]?.NetworkMode ?? '').inspect();
    expect(seen.Name).toBe(`room-launcher.${deployment}`);
    expect(seen.Options).toMatchObject({ 'com.docker.network.bridge.enable_icc': 'false' });
    const [driver] = drivers as [DockerDriver];
    for (const { taskId } of tasks) {
      await driver.stop(taskId, { graceMs: 0, reason: 'test' }, calm());
      await reaches(driver, taskId, 'ended');
      await driver.remove(taskId, calm());
    }
    await driver.removeNetwork(calm());
    const filters = { label: [`room-launcher.deployment=${deployment}`] };
    expect(await docker.listNetworks({ filters })).toEqual([]);
    // As after somebody's `docker network prune`.
    expect((await accepted(driver)).phase).toBe('running');
  });

  it('refuses for good what no repeat mends, in words that say what to do', async () => {
    const name = `room-launcher.${deployment}`;
    const stranger = await docker.createNetwork({ Name: name });
    cleanup.defer(() => stranger.remove());
    const refusals = [
      await open({ network: { mode: 'own' } }).launch(request(), calm()),
      await open({ network: { name: 'no-such-network' } }).launch(request(), calm()),
      await open().launch(request({ options: { runtime: 'no-such-runtime' } }), calm()),
      await open().launch(request({ cpu: 4096 }), calm()),
    ];
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ outcome: 'refused', reason: 'invalid', retry: 'never' });
    }
    const details = refusals.map((each) => ('detail' in each ? each.detail : ''));
    expect(details[0]).toContain(name);
    expect(details[1]).toContain('no-such-network');
    expect(details[2]).toContain('no-such-runtime');
    expect(await open().list(calm())).toEqual([]);
  });

  it('leaves nothing of a task that the engine does not start', async () => {
    const driver = open();
    const options = { user: 'nobody-of-this-name' };
    const result = await driver.launch(request({ options }), calm());
    expect(result).toMatchObject({ outcome: 'refused', reason: 'capacity', retry: 'same-key' });
    expect(await driver.list(calm())).toEqual([]);
  });

  it('warns once about an image that runs as root', async () => {
    const root = testImage('USER 0');
    cleanup.defer(() => root.remove());
    await root.ready();
    const driver = open();
    for (const room of [1, 2]) {
      await accepted(driver, { key: `r-RM_${room}-1` as TaskKey, template: root.name });
    }
    expect(warnings('root')).toHaveLength(1);
  });

  it('pulls a missing image once for all who wait, and launches then', async () => {
    const registry = cleanup.use(await imageRegistry());
    const { image: template } = registry;
    cleanup.defer(() => docker.getImage(template).remove({ force: true }));
    const driver = open();
    const first = await driver.launch(request({ template }), calm());
    const second = await driver.launch(request({ template, key: 'r-RM_2-1' as TaskKey }), calm());
    for (const each of [first, second]) {
      expect(each).toMatchObject({ outcome: 'refused', reason: 'pulling', retry: 'same-key' });
    }
    const prepared = driver.prepare([{ template }], calm());
    registry.release();
    await prepared;
    expect(registry.layersSent()).toBe(1);
    expect(log.lines.map(({ text }) => text)).toContain('pulled an image');
    // Its program is missing: it starts and ends at once.
    const task = await accepted(driver, { template });
    expect((await reaches(driver, task.taskId, 'ended')).exit).toMatchObject({ code: 127 });
  });

  it('says why an image cannot be had, to all who wait', async () => {
    const registry = cleanup.use(await imageRegistry());
    const { missing } = registry;
    const driver = open();
    await driver.prepare([{ template: missing }], calm());
    for (let repeat = 0; repeat < 2; repeat += 1) {
      const result = await driver.launch(request({ template: missing }), calm());
      expect(result).toMatchObject({ outcome: 'refused', reason: 'image', retry: 'never' });
      expect('detail' in result && result.detail).toContain(missing);
    }
    expect(warnings('could not pull')).toHaveLength(1);
    await registry[Symbol.asyncDispose]();
    const away = `${missing}-of-a-registry-that-is-away`;
    await driver.prepare([{ template: away }], calm());
    const result = await driver.launch(request({ template: away }), calm());
    expect(result).toMatchObject({ outcome: 'refused', reason: 'image', retry: 'same-key' });
  });

  it('a stop is carried out to its end although the launcher is killed', async () => {
    const driver = open();
    const task = await accepted(driver, { env: { ON_SIGTERM: 'ignore' } });
    await waitFor('the program runs', async () =>
      (await outputOf(task.taskId)).includes('-- started'),
    );
    const options = { deployment, engine: ENGINE, network: { mode: 'host' } } as const;
    const launcher = await remoteDriver({ name: 'docker', options }, process.env);
    cleanup.defer(() => launcher.kill());
    const how = { graceMs: 1_500, reason: 'test' };
    expect(await launcher.stop(task.taskId, how, calm())).toBe('accepted');
    await launcher.kill();
    expect((await reaches(driver, task.taskId, 'ended')).exit?.code).toBe(137);
  });

  it('says where it looked for an engine that is not there', async () => {
    const driver = open({ engine: { host: 'unix:///no/such/docker.sock' } });
    await expect(driver.list(calm())).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/unix:\/\/\/no\/such\/docker\.sock: .*is Docker running/),
    });
    const result = await driver.launch(request(), calm());
    expect(result).toMatchObject({
      outcome: 'unknown',
      detail: expect.stringContaining('is Docker running'),
    });
  });
});
