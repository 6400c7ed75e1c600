import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import {
  AvailabilityResponse,
  JobStatus,
  MigrateJobRequest,
  UpdateJobStatus,
  UpdateWorkerStatus,
  WorkerPing,
} from '@livekit/protocol';
import { describe, expect, it } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import { createGateway } from '../../../launcher/gateway/gateway.ts';
import { lookAgainMs } from '../../../launcher/gateway/delays.ts';
import { JOB_HEADER } from '../../../launcher/gateway/wire.ts';
import { ListenError } from '../../../launcher/lib/listen.ts';
import { waitFor } from '../../support/wait.ts';
import {
  allClosed,
  bearer,
  clock,
  dial,
  gateway,
  host,
  log,
  options,
  OTHER_KEY,
  registered,
  state,
  useGateway,
  view,
} from './dial.ts';
import { gone, JOB_ID, KEY, serving, wait } from './fixture.ts';

useGateway();

describe('a worker that dials', () => {
  it('registers, is offered its job, accepts, and is handed room and token', async () => {
    const client = await dial();
    expect(view()).toEqual({ state: 'connecting', connectedAtMs: clock.nowMs() });
    client.register();
    const { value } = await client.frame('register');
    expect(value.serverInfo).toMatchObject({ agentProtocol: 1 });
    expect((await client.frame('availability')).value.job?.id).toBe(JOB_ID);
    expect(state()).toBe('offered');
    client.answer();
    const assigned = await client.frame('assignment');
    expect(assigned.value).toMatchObject({ url: 'wss://real.example', token: 'room-token' });
    const atMs = clock.nowMs();
    expect(view()).toEqual({
      state: 'assigned',
      connectedAtMs: atMs,
      registeredAtMs: atMs,
      assignedAtMs: atMs,
    });
    expect(client.cases()).toEqual(['register', 'availability', 'assignment']);
    client.ws.close();
    await allClosed();
    expect(host.changes).toEqual([`registered ${KEY}`, `assigned ${KEY}`, `closed ${KEY}`]);
    const events = log.lines.filter((line) => line.message.startsWith('task.'));
    expect(events.map((line) => line.message)).toEqual(['task.register', 'task.assign']);
    expect(JSON.stringify(log.lines)).not.toMatch(/secret-name|room-token/);
  });

  it.each(['/agent/', '//agent', '/agent?worker_token=x'])('may dial %s', async (path) => {
    await registered({ path });
  });

  it('is answered its pings', async () => {
    const client = await registered();
    client.send({ case: 'ping', value: new WorkerPing({ timestamp: 7n }) });
    expect((await client.frame('pong')).value.lastTimestamp).toBe(7n);
  });

  it('may report load and job states without effect', async () => {
    const client = await registered();
    await client.frame('availability');
    client.send({ case: 'updateWorker', value: new UpdateWorkerStatus({ load: 1 }) });
    client.send({
      case: 'updateJob',
      value: new UpdateJobStatus({ jobId: JOB_ID, status: JobStatus.JS_SUCCESS }),
    });
    await client.flush();
    expect(state()).toBe('offered');
  });
});

describe('a worker that comes back in mid-job', () => {
  it('over a new socket is assigned again without an offer, and can be ended', async () => {
    const first = await registered();
    await first.frame('availability');
    first.answer();
    await first.frame('assignment');
    first.ws.terminate();
    await allClosed();
    const second = await registered();
    expect(state()).toBe('assigned');
    expect(gateway.terminate(KEY)).toBe(true);
    expect((await second.frame('termination')).value.jobId).toBe(JOB_ID);
    expect(second.cases()).toEqual(['register', 'termination']);
    expect(host.looked).toBe(1);
  });

  it('to a new gateway is known by its header', async () => {
    await registered({ headers: { [JOB_HEADER]: JOB_ID } });
    expect(state()).toBe('assigned');
    expect(host.looked).toBe(0);
  });

  it('to a new gateway is known by migrateJob', async () => {
    host.looks = [wait];
    const client = await registered();
    const value = new MigrateJobRequest({ jobIds: [JOB_ID] });
    client.send({ case: 'migrateJob', value });
    await client.flush();
    expect(state()).toBe('assigned');
  });

  it('to a new gateway is known by its agent in the room', async () => {
    host.looks = [serving];
    const client = await registered();
    await client.flush();
    expect(state()).toBe('assigned');
    expect(client.cases()).not.toContain('availability');
  });

  it('with the header of another job is offered its own', async () => {
    const client = await registered({ headers: { [JOB_HEADER]: `AJ_${OTHER_KEY}` } });
    await client.frame('availability');
  });
});

describe('the end of a job', () => {
  it('is told to a worker that waits when its room is gone', async () => {
    host.looks = [wait];
    const client = await registered();
    await waitFor('the first look', () => host.looked === 1);
    host.looks = [gone];
    await clock.advance(lookAgainMs(1));
    expect((await client.frame('termination')).value.jobId).toBe(JOB_ID);
    expect(state()).toBe('ended');
  });

  it('is told to a worker that is away, when it comes back', async () => {
    expect(gateway.terminate(KEY)).toBe(false);
    const client = await dial();
    expect(gateway.terminate(KEY)).toBe(false);
    client.register();
    await client.frame('termination');
    expect(client.cases()).toEqual(['register', 'termination']);
    expect(state()).toBe('ended');
  });
});

describe('the gateway itself', () => {
  it('ends at once: workers see 1001, the host hears nothing more', async () => {
    host.looks = [wait];
    const client = await registered();
    const idle = connectTcp(gateway.port, '127.0.0.1');
    idle.on('error', () => {});
    await once(idle, 'connect');
    const { port } = gateway;
    await gateway[Symbol.asyncDispose]();
    expect((await client.close()).code).toBe(1001);
    expect(host.changes).toEqual([`registered ${KEY}`]);
    expect(clock.pending).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    idle.destroy();
  });

  it('does not wait for a worker that does not answer its close', async () => {
    const socket = connectTcp(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    const head = [
      'GET /agent HTTP/1.1',
      'host: x',
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      `authorization: ${await bearer()}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    await waitFor('the socket', () => gateway.sockets().size === 1);
    const beforeMs = performance.now();
    await gateway[Symbol.asyncDispose]();
    expect(performance.now() - beforeMs).toBeLessThan(3_000);
    socket.destroy();
  });

  it.each([
    ['says nothing', ''],
    ['is slow with its headers', 'GET /agent HTTP/1.1\r\nhost: x\r\n'],
  ])('cuts off who %s', async (_title, start) => {
    const impatient = await createGateway({ ...options(), headersTimeoutMs: 40 });
    const socket = connectTcp(impatient.port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(start);
    await once(socket, 'close');
    await impatient[Symbol.asyncDispose]();
  });

  it('names the setting when its port is taken', async () => {
    const listen = { host: '127.0.0.1', port: gateway.port };
    const error = await createGateway({ ...options(), listen }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect(String(error)).toMatch(/LAUNCHER_GATEWAY_LISTEN.*127\.0\.0\.1/);
  });

  it('hands a hundred tasks their jobs at once', async () => {
    const keys = Array.from({ length: 100 }, (_, n) => `r-RM_abc-${n + 1}` as TaskKey);
    const all = await Promise.all(keys.map((key) => registered({ key })));
    for (const [n, client] of all.entries()) {
      const { value } = await client.frame('availability');
      expect(value.job?.id).toBe(`AJ_${keys[n]}`);
      const answer = new AvailabilityResponse({ jobId: `AJ_${keys[n]}`, available: true });
      client.send({ case: 'availability', value: answer });
    }
    await Promise.all(all.map((client) => client.frame('assignment')));
    expect([...gateway.sockets().values()].every(({ state: s }) => s === 'assigned')).toBe(true);
  });
});
