/** LiveKit's room service as one answer: it keeps the calls, and says what a test tells it to. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface ReceivedCall {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface ServiceAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string | Uint8Array;
}

export class FakeRoomService implements AsyncDisposable {
  readonly calls: ReceivedCall[] = [];
  /** `hang`: no answer at all; `cut`: the line breaks. */
  answer: ServiceAnswer | 'hang' | 'cut' = { body: '' };
  /** Lines on which a caller gave up. */
  givenUp = 0;
  readonly #server = createServer();

  static async start(): Promise<FakeRoomService> {
    const service = new FakeRoomService();
    service.#server.on('request', (request, response) => {
      response.on('close', () => (service.givenUp += response.writableEnded ? 0 : 1));
      void service.#received(request, response);
    });
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  async #received(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    this.calls.push({ path: request.url ?? '', headers: request.headers, body });
    const { answer } = this;
    if (answer === 'hang') return;
    if (answer === 'cut') response.destroy();
    else response.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
