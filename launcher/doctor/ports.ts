/**
 * The three listeners' addresses: free, or held by a launcher of ours, which can then be asked; or
 * by another program, beside which `serve` could not start.
 */
import { createServer } from 'node:net';
import { formatAddress, listen, type ListenAddress, ListenError } from '../lib/listen.ts';
import { type Finding, ok, type Seen, warning, wrong } from './finding.ts';
import { LauncherApi, type Readiness, urlOf } from './launcher-api.ts';

const REQUEST_TIMEOUT_MS = 3_000;

export interface ListenAddresses {
  readonly webhookListen: ListenAddress;
  readonly gatewayListen: ListenAddress;
  readonly adminListen: ListenAddress;
}

export interface Ports {
  /** The launcher that runs here; null: none does. */
  readonly launcher: LauncherApi | null;
  /** Which of them the doctor may listen at for a moment. */
  readonly free: { readonly webhook: boolean; readonly gateway: boolean };
}

interface Held {
  readonly setting: string;
  readonly address: ListenAddress;
  /** Null: free; else why it cannot be opened, with what to do. */
  readonly refusal: ListenError | null;
}

export async function examinePorts(
  addresses: ListenAddresses,
  signal: AbortSignal,
): Promise<Seen<Ports>> {
  const [webhook, gateway, admin] = await Promise.all([
    held('LAUNCHER_WEBHOOK_LISTEN', addresses.webhookListen),
    held('LAUNCHER_GATEWAY_LISTEN', addresses.gatewayListen),
    held('LAUNCHER_ADMIN_LISTEN', addresses.adminListen),
  ]);
  const api = new LauncherApi(urlOf(admin.address));
  const ready = isTaken(admin) ? await api.ready(signal).catch(() => null) : null;
  const launcher = ready === null ? null : api;
  const others = ready === null ? [webhook, gateway, admin] : [webhook, gateway];
  const findings = await Promise.all(
    others.map((one) => findingOf(one, launcher !== null, signal)),
  );
  const ours = ready === null ? [] : launcherFindings(ready, admin.address);
  const free = { webhook: isFree(webhook), gateway: isFree(gateway) };
  return { findings: [...ours, ...summed(findings)], value: { launcher, free } };
}

async function held(setting: string, address: ListenAddress): Promise<Held> {
  const server = createServer();
  try {
    await listen(server, address, setting);
    await new Promise((closed) => void server.close(closed));
    return { setting, address, refusal: null };
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return { setting, address, refusal: error };
  }
}

/** Any free port is free, but nobody can be told of it. */
function isFree({ refusal, address }: Held): boolean {
  return refusal === null && address.port !== 0;
}

function isTaken({ refusal }: Held): boolean {
  const cause = refusal?.cause;
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
}

async function findingOf(one: Held, launcherRuns: boolean, signal: AbortSignal): Promise<Finding> {
  const { setting, address, refusal } = one;
  const what = `${setting} ${formatAddress(address)}`;
  if (refusal === null) {
    if (!launcherRuns) return ok(`${what}: ${address.port === 0 ? 'any port' : 'free'}`);
    return warning(
      `${what}: the launcher that runs here does not listen there`,
      'it was started with other settings: run the doctor with the same, or start it again',
    );
  }
  if (launcherRuns && isTaken(one) && (await isWell(urlOf(address), signal)))
    return ok(`${what}: held by it`);
  return wrong(refusal.message);
}

async function isWell(url: string, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
  return fetch(`${url}/healthz`, { signal: limit }).then(
    ({ ok: well }) => well,
    () => false,
  );
}

function launcherFindings({ firstPassDone, livekit, engine }: Readiness, admin: ListenAddress) {
  const where = `the launcher at LAUNCHER_ADMIN_LISTEN ${formatAddress(admin)}`;
  const findings: Finding[] = [ok(`${where} runs`)];
  if (!firstPassDone) {
    const remedy = 'its log says what it waits for: LiveKit or the engine';
    findings.push(warning(`${where} has not seen all rooms and tasks yet`, remedy));
  }
  for (const [name, { state, since, reason }] of Object.entries({ LiveKit: livekit, engine })) {
    if (state !== 'down') continue;
    const text = `${where} gets no answer from ${name} since ${since}: ${reason}`;
    findings.push(wrong(text, 'see the lines below for the same from here'));
  }
  return findings;
}

/** What is well is one line. */
function summed(findings: readonly Finding[]): readonly Finding[] {
  const good = findings.filter(({ outcome }) => outcome === 'ok').map(({ text }) => text);
  const rest = findings.filter(({ outcome }) => outcome !== 'ok');
  return good.length === 0 ? rest : [ok(good.join(', ')), ...rest];
}
