import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAdminListener, type AdminListener } from '../../launcher/admin/listener.ts';
import type { AdminHost } from '../../launcher/admin/ports.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import type { EventName, Fields, Told } from '../../launcher/lib/log.ts';
import { RecentEvents } from '../../launcher/telemetry/recent.ts';
import { RecordedLog } from '../fakes/log.ts';
import { waitFor } from '../support/wait.ts';

let recent: RecentEvents;
let listener: AdminListener;
let subscribers = 0;
const readers: AbortController[] = [];
const stalledClients: ClientRequest[] = [];

beforeEach(async () => {
  recent = new RecentEvents(0);
  subscribers = 0;
  const host = {
    events: {
      since: (number?: number) => recent.since(number),
      subscribe(subscriber: Parameters<RecentEvents['subscribe']>[0]) {
        subscribers += 1;
        const unsubscribe = recent.subscribe(subscriber);
        return () => {
          subscribers -= 1;
          unsubscribe();
        };
      },
    },
    roomName: (sid: string) => (sid === 'RM_1' ? 'a room' : null),
  } as unknown as AdminHost;
  const listen = { host: '127.0.0.1', port: 0 };
  listener = await createAdminListener({
    listen,
    host,
    log: new RecordedLog(),
    clock: systemClock,
  });
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.abort();
  for (const client of stalledClients.splice(0)) client.destroy();
  await listener.close();
});

function tell(event: EventName, fields: Fields, level: Told['level'] = 'info') {
  recent.listener({ atMs: 1_000, event, level, fields });
}

/** Reads the stream until it is ended; gives what came so far. */
async function read(query = '', headers: Record<string, string> = {}) {
  const reader = new AbortController();
  readers.push(reader);
  const { signal } = reader;
  const url = `http://127.0.0.1:${listener.port}/api/events${query}`;
  const answer = await fetch(url, { headers, signal });
  let text = '';
  let ended = false;
  void (async () => {
    try {
      for await (const chunk of answer.body!) text += Buffer.from(chunk).toString();
    } catch {
      // Its reader went.
    }
    ended = true;
  })();
  const events = () =>
    [...text.matchAll(/^data: (.*)\nid: (\d+)$/gm)].map(([, data = '', id]) => ({
      id: Number(id),
      ...(JSON.parse(data) as Record<string, unknown>),
    }));
  return { answer, events, ended: () => ended, text: () => text };
}

test('gives what is kept, then what happens, with the name of the room', async () => {
  tell('webhook.receive', { sid: 'RM_1', status: 200 });
  const { answer, events } = await read();
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  await waitFor('the kept event', async () => events().length === 1);
  tell('pass.run', { sid: 'RM_1' }, 'debug');
  tell('task.end', { sid: 'RM_2', task: 'r-RM_2-1' }, 'warn');
  await waitFor('the new event', async () => events().length === 2);
  const time = '1970-01-01T00:00:01.000Z';
  expect(events()).toEqual([
    {
      id: 1,
      time,
      level: 'info',
      event: 'webhook.receive',
      sid: 'RM_1',
      status: 200,
      room: 'a room',
    },
    { id: 3, time, level: 'warn', event: 'task.end', sid: 'RM_2', task: 'r-RM_2-1' },
  ]);
});

test('a client that comes back reads on', async () => {
  for (const status of [1, 2, 3]) tell('webhook.receive', { status });
  const { events } = await read('', { 'Last-Event-ID': '2' });
  await waitFor('the rest', async () => events().length > 0);
  expect(events()).toMatchObject([{ id: 3, status: 3 }]);
});

test.each([
  ['?sid=RM_1', [1, 2]],
  ['?task=r-RM_2-1', [3]],
  ['?event=task.end&event=run.fail', [2, 3]],
  ['?level=debug&sid=RM_1', [1, 2]],
])('%s chooses', async (query, ids) => {
  tell('task.launch', { sid: 'RM_1', task: 'r-RM_1-1' });
  tell('run.fail', { sid: 'RM_1' });
  tell('task.end', { sid: 'RM_2', task: 'r-RM_2-1' });
  const { events } = await read(query);
  await waitFor('the last of them', async () => events().some(({ id }) => id === ids.at(-1)));
  expect(events().map(({ id }) => id)).toEqual(ids);
});

test('a client that only asks for the head gets no stream that nobody would read', async () => {
  const url = `http://127.0.0.1:${listener.port}`;
  for (const path of [
    '/api/events',
    '/api/tasks/r-RM_1-1/logs',
    '/dashboard/live',
    '/rooms/RM_1/live',
  ]) {
    expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(405);
  }
  expect(subscribers).toBe(0);
});

/** More than a connection holds. */
async function tellMuch(events: number) {
  for (let i = 0; i < events; i += 1) {
    tell('webhook.receive', { status: i, padding: 'x'.repeat(2_000) });
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client that has asked, and reads nothing. */
async function stalled() {
  const sent = request({ host: '127.0.0.1', port: listener.port, path: '/api/events' });
  sent.on('error', () => {});
  sent.end();
  const [response] = await once(sent, 'response');
  response.pause();
  stalledClients.push(sent);
}

test('a reader that has stalled is cut off, and holds nothing here', async () => {
  await stalled();
  await waitFor('the stream', async () => subscribers === 1);
  await tellMuch(12_000);
  await waitFor('its end', async () => subscribers === 0);
});

test('a reader that has stalled holds nothing once the listener closes', async () => {
  await stalled();
  await waitFor('the stream', async () => subscribers === 1);
  await tellMuch(5_000);
  const closed = listener.close();
  await waitFor('its end', async () => subscribers === 0);
  await closed;
});

test('closing the listener ends the streams at once', async () => {
  const { ended, text } = await read();
  await waitFor('the stream', async () => text().startsWith('retry: '));
  await listener.close();
  await waitFor('its end', async () => ended());
});
