/** A way to the Docker engine that a test can break, hold up, or make lose an answer. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as realDelay } from 'node:timers/promises';
import { connectionOf } from '../../launcher/drivers/docker/connection.ts';
import { ENGINE } from './docker-engine.ts';

export interface EngineProxy extends AsyncDisposable {
  /** As a `DOCKER_HOST`. */
  readonly host: string;
  /** Paths seen, with the method before them. */
  readonly seen: readonly string[];
  /** How many requests were passed on. */
  passed(): number;
  /** It listens no more, until `mend`. */
  break(): Promise<void>;
  mend(): Promise<void>;
  /** Each further request waits this long before it is passed on. */
  slow(delayMs: number): void;
  /** Requests whose path this accepts are never answered. */
  hang(concerns: (path: string) => boolean): void;
  /** The next request whose path this accepts is carried out and its answer lost. */
  loseNext(concerns: (path: string) => boolean): void;
}

export async function engineProxy(folder: string): Promise<EngineProxy> {
  const socketPath = join(folder, 'engine.sock');
  const seen: string[] = [];
  let delayMs = 0;
  let passed = 0;
  let hangs: ((path: string) => boolean) | undefined;
  let loses: ((path: string) => boolean) | undefined;
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '';
    seen.push(`${incoming.method} ${path}`);
    if (hangs?.(path) === true) return;
    const lost = loses?.(path) === true;
    if (lost) loses = undefined;
    const pass = () => {
      passed += 1;
      forward(incoming, outgoing, lost);
    };
    void realDelay(delayMs).then(pass);
  });
  const listen = async () => {
    server.listen(socketPath);
    await once(server, 'listening');
  };
  await listen();
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await rm(socketPath, { force: true });
  };
  return {
    host: `unix://${socketPath}`,
    seen,
    passed: () => passed,
    break: close,
    mend: listen,
    slow: (ms) => void (delayMs = ms),
    hang: (concerns) => (hangs = concerns),
    loseNext: (concerns) => (loses = concerns),
    [Symbol.asyncDispose]: close,
  };
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, lost: boolean): void {
  const { host, port, socketPath } = connectionOf(ENGINE);
  const { method, url, headers } = incoming;
  const to = socketPath === '' ? { host, port } : { socketPath };
  const upstream = request({ ...to, method, path: url, headers }, (answer) => {
    if (lost) {
      answer.resume().once('end', () => outgoing.destroy());
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    outgoing.flushHeaders();
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}
