import { once } from 'node:events';
import { JobType, RegisterWorkerRequest } from '@livekit/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BARRED_MS } from '../../../launcher/gateway/door.ts';
import { PING_EVERY_MS, REGISTER_TIMEOUT_MS } from '../../../launcher/gateway/socket.ts';
import { encodeWorker, MAX_FRAME_BYTES } from '../../../launcher/gateway/wire.ts';
import {
  allClosed,
  type Client,
  clock,
  dial,
  gateway,
  host,
  log,
  OTHER_KEY,
  refusal,
  registered,
  state,
  useGateway,
} from './dial.ts';
import { KEY, offer, serving } from './fixture.ts';

useGateway();

const text = (client: Client) => client.ws.send('hello');
const garbage = (client: Client) => client.ws.send(Buffer.from([0xff, 0xff, 0xff]));
const empty = (client: Client) => client.ws.send(Buffer.alloc(0));
const oversize = (client: Client) => client.ws.send(Buffer.alloc(MAX_FRAME_BYTES + 1));
const early = (client: Client) => client.answer();
const twice = (client: Client) => {
  client.register();
  client.register();
};

describe('a worker that breaks the protocol', () => {
  it.each<[string, (client: Client) => void, number]>([
    ['a text frame', text, 1003],
    ['a frame that is no message', garbage, 1007],
    ['an empty frame', empty, 1007],
    ['a frame too large', oversize, 1009],
    ['another message before register', early, 1002],
    ['a second register', twice, 1002],
    ['publisher jobs', (client) => client.register(JobType.JT_PUBLISHER), 1008],
    ['participant jobs', (client) => client.register(JobType.JT_PARTICIPANT), 1008],
  ])('by %s is closed, logged once, and kept out for a while', async (_name, broken, code) => {
    const client = await dial();
    broken(client);
    expect((await client.close()).code).toBe(code);
    expect(log.of('warn')).toHaveLength(1);
    expect(log.of('warn')[0]?.fields['task']).toBe(KEY);
    expect(client.cases()).not.toContain('assignment');
    expect(gateway.sockets().size).toBe(0);
    expect((await refusal()).status).toBe(403);
    await registered({ key: OTHER_KEY });
    await clock.advance(BARRED_MS);
    await registered();
  });

  it('is kept out also while others are', async () => {
    for (const key of [KEY, OTHER_KEY]) {
      const client = await dial({ key });
      text(client);
      await client.close();
    }
    for (const key of [KEY, OTHER_KEY]) expect((await refusal({ key })).status).toBe(403);
  });

  it('by another job type is told what to do', async () => {
    const client = await dial();
    client.register(JobType.JT_PUBLISHER);
    expect((await client.close()).reason).toContain('JT_ROOM');
    expect(log.of('warn')[0]?.fields['reason']).toContain('JT_ROOM');
  });

  it('by silence is closed after the register timeout, and may come again', async () => {
    const client = await dial();
    await clock.advance(REGISTER_TIMEOUT_MS - 1);
    expect(state()).toBe('connecting');
    await clock.advance(1);
    expect((await client.close()).code).toBe(1008);
    await registered();
  });

  it('with random frames is never assigned, and never crashes the gateway', async () => {
    const start = fc.constant(
      encodeWorker({ case: 'register', value: new RegisterWorkerRequest() }),
    );
    const forged = fc
      .tuple(fc.integer({ min: 1, max: 127 }), fc.uint8Array({ maxLength: 100 }))
      .map(([tag, bytes]) => Uint8Array.of(tag * 8 + 2, bytes.length, ...bytes));
    const frame = fc.oneof(start, forged, fc.uint8Array({ maxLength: 300 }), fc.string());
    host.looks = [offer];
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
        const client = await dial();
        for (const each of frames) client.ws.send(each);
        client.ws.close();
        await client.close();
        await allClosed();
        expect(client.cases()).not.toContain('assignment');
        await clock.advance(BARRED_MS);
      }),
      { numRuns: 60 },
    );
    await registered();
  });
});

describe('a silent line', () => {
  it('is kept while pings are answered', async () => {
    host.looks = [serving];
    const client = await registered();
    for (let n = 0; n < 5; n++) {
      const pinged = once(client.ws, 'ping');
      await clock.advance(PING_EVERY_MS);
      await pinged;
      await client.flush();
    }
    expect(gateway.sockets().size).toBe(1);
  });

  it('is dropped after two pings without an answer', async () => {
    host.looks = [serving];
    const client = await registered({ autoPong: false });
    await clock.advance(2 * PING_EVERY_MS);
    expect(gateway.sockets().size).toBe(1);
    await clock.advance(PING_EVERY_MS);
    expect(gateway.sockets().size).toBe(0);
    await client.close();
    expect(host.changes.at(-1)).toBe(`closed ${KEY}`);
  });
});
