/** What became of the probe room: its webhook, its agent, and an agent that nobody asked for. */
import { formatAddress, type ListenAddress } from '../lib/listen.ts';
import { delay, systemClock } from '../lib/clock.ts';
import type { Ears } from './ears.ts';
import { type Finding, ok, type Seen, unseen, wrong } from './finding.ts';
import type { LauncherEvent } from './launcher-api.ts';
import type { ProbeRoom } from './probe.ts';
import { otherAgents, SECOND_AGENT_REMEDY } from './rooms.ts';

/** LiveKit sends a webhook at once, and repeats one that it could not deliver. */
const WEBHOOK_WAIT_MS = 10_000;
/** A cold start, and one retry. */
const AGENT_WAIT_MS = 120_000;
/** A worker that LiveKit sends to a room is there sooner, unless its machine is busy. */
const SECOND_AGENT_WAIT_MS = 10_000;
const STRANGER_WAIT_MS = 1_500;
const LOOK_EVERY_MS = 500;
/** A listener says each kind of refusal once in this time. */
const REFUSALS_SAID_EVERY_MS = 60_000;
const CREATED_SLACK_MS = 1_000;

/** Waits for a webhook about the room. */
export async function examineWebhook(
  ears: Ears,
  room: ProbeRoom,
  listen: ListenAddress,
  signal: AbortSignal,
): Promise<Seen<never>> {
  const isAbout = (event: LauncherEvent) =>
    event.event === 'webhook.receive' && event['sid'] === room.sid;
  const wanted = (event: LauncherEvent) =>
    isAbout(event) || isRefusal(event, room.createdAtMs - CREATED_SLACK_MS);
  const first = await ears.hear(wanted, WEBHOOK_WAIT_MS, signal);
  // A refused one may be a stranger's.
  const genuine = first === null ? null : await ears.hear(isAbout, STRANGER_WAIT_MS, signal);
  const heard = genuine ?? first;
  const where = `LAUNCHER_WEBHOOK_LISTEN ${formatAddress(listen)}`;
  if (heard !== null && isAbout(heard)) {
    return { findings: [ok(`LiveKit's webhook about the probe room came ${after(heard, room)}`)] };
  }
  const sinceMs = room.createdAtMs - REFUSALS_SAID_EVERY_MS;
  const refused = heard ?? ears.last((event) => isRefusal(event, sinceMs));
  return { findings: [refused === null ? neverCame(where) : wasRefused(refused, where)] };
}

/** One since the room was made is most likely of its webhook, which names no room then. */
function isRefusal({ event, status, time }: LauncherEvent, sinceMs: number): boolean {
  return event === 'webhook.receive' && status !== 200 && Date.parse(time) > sinceMs;
}

function neverCame(where: string): Finding {
  return wrong(
    `no webhook about the probe room came to ${where} within ${WEBHOOK_WAIT_MS / 1_000} s`,
    'name http://<this machine>/webhook with that port under `webhook.urls` in the config of the ' +
      'server (LiveKit Cloud: Settings, Webhooks), and let firewalls pass it',
  );
}

function wasRefused({ status, reason }: LauncherEvent, where: string): Finding {
  return wrong(
    `a webhook that came to ${where} was refused (${String(status)}): ${String(reason)}`,
    'let `webhook.api_key` of the server name LIVEKIT_API_KEY, or add the key that signs to ' +
      'LAUNCHER_WEBHOOK_KEYS',
  );
}

/** Waits until the launcher's agent is in the room, or is known not to come. */
export async function examineAgent(
  ears: Ears,
  room: ProbeRoom,
  signal: AbortSignal,
): Promise<Finding> {
  const about = (event: LauncherEvent) => event['sid'] === room.sid;
  const settles = (event: LauncherEvent) =>
    about(event) && (event.event === 'task.active' || event.event === 'run.fail');
  const heard = await ears.hear(settles, AGENT_WAIT_MS, signal);
  if (heard?.event === 'task.active') {
    return ok(`the launcher's agent came into the probe room ${after(heard, room)}`);
  }
  if (heard !== null) {
    const text = `the launcher has given up on the probe room: ${String(heard['reason'])}`;
    return wrong(text, 'the log of its task says more; `images` and `network` may, too');
  }
  const last = ears.last((event) => about(event) && event.event.startsWith('task.'));
  const so = last === null ? 'nothing was launched for it' : `last came ${told(last)}`;
  return wrong(
    `no agent in the probe room within ${AGENT_WAIT_MS / 1_000} s: ${so}`,
    'the log of the launcher, and that of the task, say more',
  );
}

function after({ time }: LauncherEvent, { createdAtMs }: ProbeRoom): string {
  return `${((Date.parse(time) - createdAtMs) / 1_000).toFixed(1)} s after its creation`;
}

function told({ event, outcome, reason, task }: LauncherEvent): string {
  const words = [event, task, outcome, reason].filter((word) => typeof word === 'string');
  return words.join(' ');
}

/** Looks for a while, and until `others` have settled, whether an agent comes that is not ours. */
export async function examineSecondAgent(
  room: ProbeRoom,
  others: Promise<unknown>,
  signal: AbortSignal,
): Promise<Finding> {
  const untilMs = room.createdAtMs + SECOND_AGENT_WAIT_MS;
  let settled = false;
  void others.finally(() => (settled = true)).catch(() => {});
  for (;;) {
    const found = otherAgents(room, await room.participants(signal));
    if (found.length > 0) {
      const text = "an agent that is not the launcher's came into the probe room by itself";
      return wrong(text, SECOND_AGENT_REMEDY);
    }
    if (settled && systemClock.nowMs() > untilMs)
      return ok('no other agent came into the probe room');
    await delay(systemClock, LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

export const NO_LAUNCHER = unseen(
  'no launcher runs here to bring the probe room an agent',
  'start one (`room-launcher serve`) with the same settings, and ask again',
);
