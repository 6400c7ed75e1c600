/** The demo's choice of an engine, with engines that answer as Docker's do on different machines. */
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gatewayOf, textOf } from '../../launcher/dev/docker-engine.ts';
import { type EngineChoice, openEngine } from '../../launcher/dev/engine.ts';
import { StepFailed } from '../../launcher/dev/wait.ts';
import { Cleanup } from '../support/cleanup.ts';

/** Of the block for documentation: nobody's address. */
const ELSEWHERE = '203.0.113.1';

let cleanup: Cleanup;
let folder: string;
beforeEach(async () => {
  cleanup = new Cleanup();
  folder = await mkdtemp(join(tmpdir(), 'dev-engine-test-'));
  cleanup.defer(() => rm(folder, { recursive: true }));
});
afterEach(() => cleanup.run());

/** An engine that knows its bridge and perhaps the image; resolves with its DOCKER_HOST. */
async function engine(bridge: string, hasImage: boolean): Promise<string> {
  const networks = { IPAM: { Config: [{ Gateway: bridge }] } };
  const server = createServer((request, response) => {
    const known = request.url?.includes('/networks/bridge') ? networks : hasImage ? {} : null;
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ?? { message: 'no such image' }));
  });
  server.listen(join(folder, 'engine.sock'));
  await once(server, 'listening');
  cleanup.defer(async () => void server.close());
  return `unix://${folder}/engine.sock`;
}

async function open(choice: EngineChoice, host: string) {
  const warnings: string[] = [];
  const place = { env: { DOCKER_HOST: host }, deployment: 'demo', folder };
  const opened = await openEngine(choice, place, (line) => warnings.push(line));
  return { ...opened, warnings };
}

describe('the engine of the demo', () => {
  it('is Docker where the bridge is on this machine and the image is there', async () => {
    const opened = await open({}, await engine('127.0.0.2', true));
    expect(opened).toMatchObject({ hostAddress: '127.0.0.2', warnings: [] });
    expect(opened.settings).toEqual({
      LAUNCHER_DRIVER: 'docker',
      LAUNCHER_AGENT_IMAGE: 'room-launcher-agent:latest',
    });
  });

  it('is reached on loopback by containers on the host network', async () => {
    const opened = await open({ network: 'host' }, await engine('127.0.0.2', true));
    expect(opened.hostAddress).toBe('127.0.0.1');
    expect(opened.settings).toMatchObject({ LAUNCHER_DOCKER_NETWORK: 'host' });
  });

  it.each([
    ['the image is missing', () => engine('127.0.0.2', false), /no image room-launcher-agent/],
    ['its bridge is elsewhere', () => engine(ELSEWHERE, true), /not on this machine/],
    ['it has no address', () => engine('', true), /not on this machine/],
    ['no engine answers', async () => `unix://${folder}/none.sock`, /none\.sock: there is no such/],
    ['its address is none', async () => 'ssh://somewhere', /DOCKER_HOST is "ssh/],
  ])(
    'is processes, with the reason, when %s; a failure where Docker was asked for',
    async (...row) => {
      const [, makeHost, why] = row;
      const host = await makeHost();
      const opened = await open({}, host);
      expect(opened.settings).toMatchObject({ LAUNCHER_DRIVER: 'process' });
      expect(opened.warnings).toEqual([expect.stringMatching(why)]);
      const asks = [
        { engine: 'docker' },
        { network: 'own' },
        { agent: 'python' },
        { image: 'room-launcher-agent' },
      ] as const;
      for (const asked of asks) {
        const refused = await open(asked, host).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(StepFailed);
        const image = 'agent' in asked ? 'room-launcher-agent-python' : 'room-launcher-agent';
        expect(String(refused).replace(image, 'room-launcher-agent')).toMatch(why);
      }
    },
  );

  it.each(['python', 'javascript'] as const)('takes the %s image where asked to', async (agent) => {
    const { settings } = await open({ agent }, await engine('127.0.0.2', true));
    expect(settings['LAUNCHER_AGENT_IMAGE']).toBe(`room-launcher-agent-${agent}:latest`);
  });

  it("takes an image of the user's", async () => {
    const { settings } = await open({ image: 'mine:1' }, await engine('127.0.0.2', true));
    expect(settings['LAUNCHER_AGENT_IMAGE']).toBe('mine:1');
  });

  it('is processes without a word, and without asking Docker, where that was asked for', async () => {
    const opened = await open({ engine: 'process' }, await engine('127.0.0.2', true));
    expect(opened).toMatchObject({ text: 'processes', hostAddress: '127.0.0.1', warnings: [] });
  });
});

it("finds a bridge's own address, also where only the subnet is told", () => {
  expect(gatewayOf([{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.9' }])).toBe('172.17.0.9');
  expect(gatewayOf([{ Subnet: '172.17.0.0/16' }])).toBe('172.17.0.1');
  expect(gatewayOf([{ Subnet: '10.1.2.64/26' }])).toBe('10.1.2.65');
  expect(gatewayOf([{ Subnet: 'fd00::/64', Gateway: 'fd00::1' }, { Subnet: '10.0.0.0/8' }])).toBe(
    '10.0.0.1',
  );
  expect(gatewayOf([])).toBeNull();
});

function frame(part: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt8(1);
  head.writeUInt32BE(part.length, 4);
  return Buffer.concat([head, part]);
}

it('takes the text out of log frames, also where a character is split', () => {
  const bytes = Buffer.from('größer\n');
  const frames = Buffer.concat([frame(bytes.subarray(0, 3)), frame(bytes.subarray(3))]);
  expect(textOf(frames)).toBe('größer\n');
  expect(textOf(Buffer.alloc(0))).toBe('');
});
