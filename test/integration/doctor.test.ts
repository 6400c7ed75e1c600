/** `room-launcher doctor` where everything is well: it says so, and leaves nothing behind. */
import process from 'node:process';
import { afterEach, expect, test } from 'vitest';
import { startChild } from '../../launcher/dev/process.ts';
import { Cleanup } from '../support/cleanup.ts';
import { MAIN, runCommand } from '../support/command.ts';
import { containersOf, hostOnBridge, startDockerBed } from '../support/docker-bed.ts';
import { diagnose, type Diagnosis, rightSettings } from '../support/doctor-bed.ts';
import { docker, removeDeployment, testImage, uniqueName } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { freeLauncherPorts, roomClient, webhookUrlOf } from '../support/launcher.ts';
import { startTestServer } from '../support/livekit-server.ts';
import { waitFor } from '../support/wait.ts';

const TEST_MS = 120_000;

async function containersOfDoctors() {
  const filters = { label: ['room-launcher.doctor'] };
  return docker.listContainers({ all: true, filters });
}

/** `check: outcome` of each finding. */
function outcomes({ checks }: Diagnosis): string[] {
  return checks.flatMap(({ check, findings }) =>
    findings.map(({ outcome }) => `${check}: ${outcome}`),
  );
}

describeWith('livekit', 'docker')('the doctor', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('before the start of a launcher', { timeout: TEST_MS }, async () => {
    const deployment = uniqueName('doctor');
    cleanup.defer(() => removeDeployment(deployment));
    const ports = await freeLauncherPorts();
    const host = await hostOnBridge();
    const server = cleanup.use(
      await startTestServer({
        webhookUrls: [webhookUrlOf(ports)],
        bindAddresses: ['127.0.0.1', host],
        nodeIp: host,
      }),
    );
    const end = await diagnose(['--probe'], rightSettings(server, deployment, ports));
    expect(end.troubles()).toEqual([]);
    expect(outcomes(end)).toEqual([
      'settings: ok',
      'ports: ok',
      'livekit: ok',
      'clocks: ok',
      'clocks: ok',
      'engine: ok',
      'images: ok',
      'network: ok',
      'network: ok',
      'rooms: ok',
      'standbys: ok',
      'webhook: ok',
      'media: ok',
      'agent: unseen',
      'agent: ok',
    ]);
    expect(end.printed).toContain('joins a room, media by UDP');
    expect(end.printed).not.toContain(server.apiSecret.reveal());
    expect(end.code).toBe(0);
    expect(await roomClient(server).listRooms()).toEqual([]);
    expect(await containersOfDoctors()).toEqual([]);
    const filters = { label: [`room-launcher.deployment=${deployment}`] };
    expect(await docker.listNetworks({ filters })).toEqual([]);
  });

  test(
    'beside a launcher, whose agent comes into the probe room',
    { timeout: TEST_MS },
    async () => {
      const bed = await startDockerBed(cleanup, { env: { LAUNCHER_STANDBY: '1' } });
      const { server, launcher, deployment, rooms } = bed;
      const env = { ...rightSettings(server, deployment, launcher.ports), LAUNCHER_STANDBY: '1' };
      await rooms.createRoom({ name: 'a-patient' });
      const { code, stdout } = await runCommand(['doctor', '--probe'], env, {
        deadlineMs: TEST_MS,
      });
      expect(stdout).toMatch(/^ok +ports +the launcher at LAUNCHER_ADMIN_LISTEN \S+ runs$/m);
      expect(stdout).toMatch(/^ok +network .* its credential is known there$/m);
      expect(stdout).toMatch(
        /^ok +standbys +profile default wants 1 standby, and 1 can take a room$/m,
      );
      expect(stdout).toMatch(
        /^ok +webhook +LiveKit's webhook about the probe room came \d+\.\d s after its creation$/m,
      );
      expect(stdout).toMatch(/^ok +media .* joins a room, media by UDP$/m);
      expect(stdout).toMatch(
        /^ok +agent +the launcher's agent came into the probe room \d+\.\d s after/m,
      );
      expect(stdout).toMatch(/^ok +agent +no other agent came into the probe room$/m);
      expect(stdout).toMatch(/^0 wrong, \d+ ok$/m);
      expect(stdout).not.toContain('a-patient');
      expect(stdout).not.toContain('\u001B');
      expect(code).toBe(0);
      expect((await rooms.listRooms()).map(({ name }) => name)).toEqual(['a-patient']);
      expect(await containersOfDoctors()).toEqual([]);
      // Its room is over: its task ends like that of any other room.
      const running = async () =>
        (await containersOf(bed)).filter(({ State }) => State.Running).length;
      await waitFor('one served room and one standby', async () => (await running()) === 2, 30_000);
    },
  );

  test('ended in the middle, leaves nothing behind', { timeout: TEST_MS }, async () => {
    const host = await hostOnBridge();
    const bindAddresses = ['127.0.0.1', host];
    // It joins for long, as nobody listens for its media.
    const server = cleanup.use(await startTestServer({ bindAddresses, nodeIp: '198.51.100.7' }));
    const deployment = uniqueName('doctor');
    cleanup.defer(() => removeDeployment(deployment));
    const env = rightSettings(server, deployment, await freeLauncherPorts());
    const { PATH, HOME } = process.env;
    const doctor = await startChild(process.execPath, [MAIN, 'doctor', '--probe'], {
      env: { PATH, HOME, ...env },
      stdio: 'ignore',
    });
    cleanup.defer(() => doctor.kill());
    const rooms = roomClient(server);
    await waitFor('the probe room', async () => (await rooms.listRooms()).length > 0, 30_000);
    await waitFor('a container that joins', async () => (await containersOfDoctors()).length > 0);
    doctor.process.kill('SIGINT');
    await waitFor('its end', () => doctor.hasEnded(), 20_000);
    expect(await rooms.listRooms()).toEqual([]);
    expect(await containersOfDoctors()).toEqual([]);
  });

  test('says what it cannot see from an image without a program to look with', async () => {
    const image = testImage();
    cleanup.defer(() => image.remove());
    await image.ready();
    const server = cleanup.use(await startTestServer());
    const deployment = uniqueName('doctor');
    const env = rightSettings(server, deployment, await freeLauncherPorts());
    const end = await diagnose([], { ...env, LAUNCHER_AGENT_IMAGE: image.name });
    expect(end.checks.find(({ check }) => check === 'network')?.findings).toEqual([
      {
        outcome: 'unseen',
        text: expect.stringContaining(
          `neither Node nor Python to look with in a container of ${image.name} (`,
        ),
        remedy: expect.stringContaining('doctor --probe'),
      },
    ]);
    expect(end.code).toBe(0);
    expect(await containersOfDoctors()).toEqual([]);
  });

  test('leaves a room alone whose name it was given', { timeout: TEST_MS }, async () => {
    const server = cleanup.use(await startTestServer());
    const rooms = roomClient(server);
    const { sid } = await rooms.createRoom({ name: 'live' });
    const ports = await freeLauncherPorts();
    const env = { ...rightSettings(server, uniqueName('doctor'), ports) };
    const processes = { ...env, LAUNCHER_DRIVER: 'process', LAUNCHER_AGENT_IMAGE: '' };
    const end = await diagnose(['--probe', '--room', 'live'], processes);
    expect(end.checks.find(({ check }) => check === 'webhook')?.findings).toEqual([
      expect.objectContaining({ outcome: 'unseen', text: expect.stringContaining('left alone') }),
    ]);
    expect((await rooms.listRooms()).map((room) => room.sid)).toEqual([sid]);
  });
});

describeWith(
  'livekit',
  'docker',
  'foreign',
)('the doctor, with an image of Python', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('looks by Python, and leaves media to the agent', { timeout: TEST_MS }, async () => {
    const host = await hostOnBridge();
    const server = cleanup.use(
      await startTestServer({ bindAddresses: ['127.0.0.1', host], nodeIp: host }),
    );
    const image = 'room-launcher-agent-python:latest';
    const env = rightSettings(server, uniqueName('doctor'), await freeLauncherPorts());
    const end = await diagnose(['--probe'], { ...env, LAUNCHER_AGENT_IMAGE: image });
    expect(outcomes(end)).toEqual(
      expect.arrayContaining(['network: ok', 'network: ok', 'media: unseen']),
    );
    expect(end.troubles('network')).toEqual([]);
  });
});
