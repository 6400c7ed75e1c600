/** What a doctor's tests ask it, and what they put between the parts that it looks at. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { AccessToken } from 'livekit-server-sdk';
import type { Env } from '../../launcher/dev/command.ts';
import type { LauncherPorts } from '../../launcher/dev/launcher.ts';
import type { CheckName, CheckReport, Finding } from '../../launcher/doctor/finding.ts';
import type { Cleanup } from './cleanup.ts';
import { type CommandOptions, runCommand } from './command.ts';
import { AGENT_IMAGE, dockerEnv } from './docker-bed.ts';
import type { TestServer } from './livekit-server.ts';

/** Longer than every wait of the doctor's own. */
const DEADLINE_MS = 150_000;

export interface Diagnosis {
  readonly code: number | null;
  readonly checks: readonly CheckReport[];
  /** What a check found, apart from what is well. */
  troubles(check?: CheckName): readonly Finding[];
  /** Checks that found something wrong. */
  readonly wrongChecks: readonly CheckName[];
  /** All that was printed. */
  readonly printed: string;
}

/** Runs the compiled doctor. */
export async function diagnose(
  args: readonly string[],
  env: Env,
  options: CommandOptions = {},
): Promise<Diagnosis> {
  const given = { deadlineMs: DEADLINE_MS, ...options };
  const { code, stdout, stderr } = await runCommand(['doctor', '--json', ...args], env, given);
  const printed = stdout + stderr;
  if (stdout === '') throw new Error(`the doctor said nothing: ${stderr}`);
  const { checks = [], errors = [] }: { checks?: CheckReport[]; errors?: string[] } =
    JSON.parse(stdout);
  const refused = errors.map((line): Finding => ({ outcome: 'wrong', text: line }));
  const all = [...checks, { check: 'settings' as const, findings: refused, tookMs: 0 }];
  return {
    code,
    checks,
    printed,
    wrongChecks: all
      .filter(({ findings }) => findings.some(({ outcome }) => outcome === 'wrong'))
      .map(({ check }) => check),
    troubles: (wanted) =>
      all
        .filter(({ check }) => wanted === undefined || check === wanted)
        .flatMap(({ findings }) => findings)
        .filter(({ outcome }) => outcome === 'wrong' || outcome === 'warning'),
  };
}

/** Settings of a launcher on the Docker engine, all of them right. */
export function rightSettings(
  { url, apiKey, apiSecret }: Pick<TestServer, 'url' | 'apiKey' | 'apiSecret'>,
  deployment: string,
  ports: LauncherPorts,
): Record<string, string> {
  const given = Object.entries(dockerEnv(AGENT_IMAGE)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    ...Object.fromEntries(given),
    LIVEKIT_URL: url,
    LIVEKIT_API_KEY: apiKey,
    LIVEKIT_API_SECRET: apiSecret.reveal(),
    LAUNCHER_DEPLOYMENT: deployment,
    LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${ports.webhook}`,
    LAUNCHER_GATEWAY_LISTEN: `0.0.0.0:${ports.gateway}`,
    LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${ports.admin}`,
  };
}

/** A server on loopback for one test; resolves with its port. */
export async function serveHttp(cleanup: Cleanup, answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.defer(async () => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** LiveKit's server API as a server would answer whose clock is `aheadMs` ahead. */
export function shiftedClock(cleanup: Cleanup, target: string, aheadMs: number): Promise<number> {
  return serveHttp(cleanup, (request, response) => {
    void (async () => {
      const { method = 'GET', url = '', headers } = request;
      const body = await text(request);
      const passed = await fetch(target.replace(/^ws/, 'http') + url, {
        method,
        headers: {
          authorization: headers.authorization ?? '',
          'content-type': headers['content-type'] ?? '',
        },
        ...(method === 'POST' && { body }),
      });
      const type = passed.headers.get('content-type') ?? '';
      const date = new Date(Date.now() + aheadMs).toUTCString();
      response.writeHead(passed.status, { 'content-type': type, date });
      response.end(await passed.text());
    })();
  });
}

/** Passes webhooks on, signed with a key of its own. */
export function otherSigner(cleanup: Cleanup, target: () => string): Promise<number> {
  return serveHttp(cleanup, (request, response) => {
    void (async () => {
      const body = await text(request);
      const token = new AccessToken('APIother', 'a-secret-that-the-launcher-was-never-told');
      token.sha256 = createHash('sha256').update(body).digest('base64');
      const headers = {
        authorization: await token.toJwt(),
        'content-type': 'application/webhook+json',
      };
      await fetch(target(), { method: 'POST', headers, body }).catch(() => {});
      response.end();
    })();
  });
}
