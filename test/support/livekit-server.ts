/** The real LiveKit server for tests, one per test file, gone afterwards also when a test fails. */
import process from 'node:process';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll } from 'vitest';
import { findLiveKitServer } from '../../launcher/dev/livekit-binary.ts';
import {
  startLiveKitServer,
  type LiveKitServer,
  type LiveKitServerOptions,
} from '../../launcher/dev/livekit-server.ts';
import { describeWith } from './left-out.ts';

/** A first start may have to build the server. */
const START_TIMEOUT_MS = 600_000;

/** `describe` for tests that need the real server. */
export const describeWithLiveKit = describeWith('livekit');

export type TestServerOptions = Partial<Omit<LiveKitServerOptions, 'bin' | 'env' | 'signal'>>;

export interface TestServer extends Pick<LiveKitServer, 'url' | 'apiKey' | 'apiSecret'> {
  /** For kill, stop, start, the log. */
  readonly server: LiveKitServer;
  /** `http://…`, for server SDK clients. */
  readonly httpUrl: string;
  readonly rooms: RoomServiceClient;
}

/** Starts a server; the caller disposes of it. */
export async function startTestServer(options: TestServerOptions = {}): Promise<LiveKitServer> {
  const env = process.env;
  const bin = await findLiveKitServer({ env, progress: (line) => console.error(line) });
  return startLiveKitServer({ ...options, bin, env });
}

/**
 * Call it at the top of a `describeWithLiveKit`: starts one server before its tests, ends it after
 * them. `options` is asked when hooks that were registered earlier have run, so that it can name the
 * URL of a webhook receiver that one of them started. The returned function gives the server.
 */
export function livekitServer(
  options: () => TestServerOptions | Promise<TestServerOptions> = () => ({}),
): () => TestServer {
  let running: TestServer | undefined;
  beforeAll(async () => {
    const server = await startTestServer(await options());
    const { url, apiKey, apiSecret } = server;
    const httpUrl = url.replace('ws', 'http');
    const rooms = new RoomServiceClient(httpUrl, apiKey, apiSecret.reveal());
    running = { server, url, httpUrl, apiKey, apiSecret, rooms };
  }, START_TIMEOUT_MS);
  afterAll(() => running?.server[Symbol.asyncDispose]());
  return () => {
    if (!running) throw new Error('the LiveKit server runs only while tests run');
    return running;
  };
}
