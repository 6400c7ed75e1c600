import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../launcher/lib/clock.ts';
import { httpServer } from '../../launcher/lib/http-server.ts';
import { closeServer, listen, ListenError } from '../../launcher/lib/listen.ts';
import { FakeClock } from '../fakes/clock.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const servers: Server[] = [];
const sockets: Socket[] = [];

function server(answers = true): Server {
  const made = createServer((_request, response) => answers && response.end('ok'));
  servers.push(made);
  return made;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const made of servers.splice(0)) {
    made.close();
    made.closeAllConnections();
  }
});

test('resolves with the port that the system chose', async () => {
  const port = await listen(server(), LOOPBACK, 'LAUNCHER_X_LISTEN');
  const [response] = await once(get({ ...LOOPBACK, port }), 'response');
  expect(response.statusCode).toBe(200);
});

test.each([
  ['a port in use', '127.0.0.1', null, /^LAUNCHER_X_LISTEN is 127\.0\.0\.1:\d+: another program/],
  ['a foreign address', '192.0.2.1', 0, /^LAUNCHER_X_LISTEN is 192\.0\.2\.1:0: this machine has/],
  ['a foreign IPv6 address', '2001:db8::1', 0, /^LAUNCHER_X_LISTEN is \[2001:db8::1\]:0: /],
])('%s rejects with setting, address and advice', async (_title, host, port, message) => {
  const taken = await listen(server(), LOOPBACK, 'LAUNCHER_Y_LISTEN');
  const failed = listen(server(), { host, port: port ?? taken }, 'LAUNCHER_X_LISTEN');
  const error: unknown = await failed.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ListenError);
  expect(error).toHaveProperty('message', expect.stringMatching(message));
});

test('closing frees the port at once although a connection idles', async () => {
  const made = server();
  const port = await listen(made, LOOPBACK, 'LAUNCHER_X_LISTEN');
  const socket = await dial(port);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  await closeServer(made, systemClock, 60_000);
  await listen(server(), { ...LOOPBACK, port }, 'LAUNCHER_X_LISTEN');
});

test('closing cuts off a request that never ends', async () => {
  const made = server(false);
  const port = await listen(made, LOOPBACK, 'LAUNCHER_X_LISTEN');
  const socket = await dial(port);
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(made, 'request');
  await Promise.all([once(socket, 'close'), closeServer(made, systemClock, 10)]);
});

test('closing waits for an answer, and not for its connection to idle', async () => {
  let answer: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => {
    const made = httpServer((_request, response) => {
      resolve();
      answer = () => response.end('ok');
    });
    servers.push(made);
  });
  const [made] = servers;
  const port = await listen(made!, LOOPBACK, 'LAUNCHER_X_LISTEN');
  const socket = await dial(port);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await asked;
  // The clock stands still: nothing is ever cut off.
  const closed = closeServer(made!, new FakeClock(), 1);
  answer?.();
  const [text] = await once(socket, 'data');
  expect(String(text)).toMatch(/^HTTP\/1\.1 200/);
  await closed;
});

test.each([
  ['that says nothing', 5000, ''],
  ['with slow headers', 5000, 'POST /webhook HTTP/1.1\r\nHost: x\r\n'],
  ['with a slow body', 80, 'POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc'],
])('a client %s is cut off', async (_title, requestMs, start) => {
  const limits = { maxConnections: 9, headersMs: 40, requestMs, idleMs: 40 };
  const made = httpServer(
    (request, response) => request.on('end', () => response.end()).resume(),
    limits,
  );
  servers.push(made);
  const socket = await dial(await listen(made, LOOPBACK, 'LAUNCHER_X_LISTEN'));
  socket.on('error', () => {});
  socket.resume();
  socket.write(start);
  const startMs = performance.now();
  await once(socket, 'close');
  expect(performance.now() - startMs).toBeLessThan(4000);
});

test('connections above the limit are turned away', async () => {
  const limits = { maxConnections: 1, headersMs: 5000, requestMs: 5000, idleMs: 5000 };
  const made = httpServer((_request, response) => response.end('ok'), limits);
  servers.push(made);
  const port = await listen(made, LOOPBACK, 'LAUNCHER_X_LISTEN');
  const first = await dial(port);
  const second = await dial(port);
  await once(second, 'close');
  first.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [answer] = await once(first, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200/);
});
