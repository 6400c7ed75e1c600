/** The agent as a stranger's client meets it, and what an outsider can read of its task. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParticipantInfo_Kind } from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { commandLines, environments, files, leaks } from '../support/evidence.ts';
import { startBed, type Bed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { ended, served, taskPid } from '../support/served.ts';
import { visit } from '../support/visitor.ts';

const ROOM = 'consultation-of-jane-doe';
const VISITOR = 'jane.doe@example.org';
const GATEWAY_SECRET = randomBytes(32).toString('hex');

describeWithLiveKit('the agent', () => {
  const cleanup = new Cleanup();
  let bed: Bed;

  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-env-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const envFile = join(folder, 'agent.env');
    await writeFile(envFile, 'LIVEKIT_AGENT_NAME=greeter\n');
    const env = { LAUNCHER_AGENT_ENV_FILE: envFile, LAUNCHER_GATEWAY_SECRET: GATEWAY_SECRET };
    bed = await startBed(cleanup, { env });
  });
  afterEach(() => cleanup.run());

  test('serves and greets a client that simply joins', async () => {
    const visitor = cleanup.use(await visit(bed.server, ROOM, VISITOR));
    const { sid, key, agent } = await served(bed, ROOM);
    expect(ParticipantInfo_Kind[agent.kind]).toBe('AGENT');
    expect(agent.identity).toBe(`agent-${sid}`);
    expect(agent.attributes).toEqual({
      'lk.agent_name': 'greeter',
      'lk.agent.name': 'greeter',
      'room-launcher.task': `r-${sid}-1`,
    });
    expect(key).toBe(`r-${sid}-1`);
    const granted = Object.entries(agent.permission ?? {}).filter(([, value]) => value === true);
    expect(granted.map(([right]) => right).toSorted()).toEqual([
      'canPublish',
      'canPublishData',
      'canSubscribe',
      'canUpdateMetadata',
    ]);
    await visitor.hears(agent.identity, 'Hello');
    await visitor.asks(agent.identity, 'are you there?');
  });

  test('tells nobody a secret, a room token, or the name of its room', async () => {
    const { launcher, rooms, server } = bed;
    const visitor = cleanup.use(await visit(server, ROOM, VISITOR));
    const { key, agent } = await served(bed, ROOM);
    await visitor.hears(agent.identity, 'Hello');
    // A webhook that is refused brings a token of its own, which may not get into the log either.
    const forged = await new AccessToken(server.apiKey, 'w'.repeat(32)).toJwt();
    const init = { method: 'POST', headers: { authorization: forged }, body: '{}' };
    expect((await fetch(launcher.webhookUrl, init)).status).toBe(401);

    const secrets = [server.apiSecret.reveal(), GATEWAY_SECRET];
    const ofTask = await environments(await taskPid(launcher, key));
    expect([...ofTask.values()].join()).toContain(`LIVEKIT_API_KEY=${key}`);
    expect(ofTask.size).toBeGreaterThanOrEqual(2);
    expect(leaks(ofTask, secrets)).toEqual([]);
    const lines = await commandLines();
    expect([...lines.values()].join()).toContain('agent-image/main.js');
    expect(leaks(lines, secrets)).toEqual([]);

    await rooms.deleteRoom(ROOM);
    await ended(launcher, key);
    const left = await files(launcher.stateDir);
    expect(await launcher.taskLog(key)).toContain('runner.started');
    expect(leaks(left, secrets)).toEqual([]);
    expect([...left.keys()].join('\n')).not.toContain(ROOM);
    expect(launcher.events('task.end')).toHaveLength(1);
    expect(leaks(new Map([['the log', launcher.output()]]), secrets)).toEqual([]);
    for (const personal of [ROOM, VISITOR]) expect(launcher.output()).not.toContain(personal);
  });
});
