/**
 * LiveKit's server API, its webhooks, or AWS's API, with somebody in between who may act or wait
 * first, or cut the connection.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

const PASSED_ON = ['authorization', 'content-type', 'x-amz-target'];

export interface ApiProxy extends AsyncDisposable {
  /** `ws://…`, as LIVEKIT_URL has it. */
  readonly url: string;
}

/**
 * Passes every call, JSON as LiveKit's and AWS's SDKs send it, on to `target` (`ws://…`, `http://…`),
 * each after `before` of its method (the last part of its path) has settled. Where that rejects, the
 * connection is cut.
 */
export async function startApiProxy(
  target: string,
  before: (method: string) => Promise<void>,
): Promise<ApiProxy> {
  const answer = async ({ url = '', headers }: IncomingMessage, body: string) => {
    await before(url.split('/').at(-1) ?? '');
    const passedOn = PASSED_ON.map((name): [string, string] => [name, String(headers[name] ?? '')]);
    const init = { method: 'POST', headers: passedOn, body };
    const passed = await fetch(target.replace(/^ws/, 'http') + url, init);
    return { status: passed.status, text: await passed.text() };
  };
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const { status, text: said } = await answer(request, await text(request));
      response.writeHead(status, { 'content-type': 'application/json' }).end(said);
    } catch {
      response.destroy();
    }
  };
  const server = createServer((request, response) => void pass(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
