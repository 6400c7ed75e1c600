/** The fake behind a port of this machine, for the unmodified SDK and for processes of their own. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FakeEcs } from './fake.ts';
import { exchange } from './wire.ts';

export interface EcsServer extends AsyncDisposable {
  readonly url: string;
}

export async function serve(fake: FakeEcs): Promise<EcsServer> {
  const server = createServer((request, response) => {
    // A bug of the fake rejects here and fails the test run.
    void answer(fake, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(fake: FakeEcs, request: IncomingMessage, response: ServerResponse) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const { authorization } = request.headers;
  const target = String(request.headers['x-amz-target']);
  const body = await text(request).catch(() => null);
  // The caller gave up while it sent.
  if (body === null) return;
  const outcome = await exchange(fake, { target, authorization, body }, gone.signal);
  if (outcome.kind === 'hang') return;
  if (outcome.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  const { status, headers, body: answered } = outcome.answer;
  const length = String(Buffer.byteLength(answered));
  response.writeHead(status, { ...headers, 'content-length': length });
  if (!outcome.cut) {
    response.end(answered);
    return;
  }
  response.write(answered.slice(0, answered.length / 2), () => request.socket.resetAndDestroy());
}
