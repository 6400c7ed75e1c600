/** The checks that take a probe room, made one beside the other while it lives. */
import type { Config } from '../config.ts';
import { profileFor } from '../core/desired.ts';
import type { Board } from './board.ts';
import { Ears } from './ears.ts';
import type { Question } from './examine.ts';
import { unseen, without } from './finding.ts';
import { examineAgent, examineSecondAgent, examineWebhook, NO_LAUNCHER } from './heard.ts';
import { LIMITS_MS, LIVEKIT_TIMEOUT_MS } from './limits.ts';
import type { SeenLiveKit } from './livekit.ts';
import type { Ports } from './ports.ts';
import { examineMedia, openProbeRoom, probeName, type ProbeRoom } from './probe.ts';
import type { TasksPlace } from './tasks-place.ts';

const NO_PROBE = 'it takes a room for a moment: ask with --probe';

/** What the other checks saw; undefined: they were not well. */
export interface ProbeParts {
  readonly question: Question;
  readonly config: Config;
  readonly ports: Ports | undefined;
  readonly livekit: SeenLiveKit | undefined;
  readonly place: TasksPlace | undefined;
}

export async function probe(board: Board, parts: ProbeParts): Promise<void> {
  const { question, livekit } = parts;
  const skip = (checks: readonly ('webhook' | 'media' | 'agent')[], why: string) => {
    for (const check of checks) board.skip(check, why);
  };
  if (question.probe === null) return skip(['webhook', 'media', 'agent'], NO_PROBE);
  if (livekit === undefined) return skip(['webhook', 'media', 'agent'], without('livekit'));
  const { name = probeName(), metadata } = question.probe;
  const options = { ...parts.config.livekit, requestTimeoutMs: LIVEKIT_TIMEOUT_MS };
  const made: { ears?: Ears | null; room?: ProbeRoom } = {};
  try {
    // Ears first: the webhook comes at once.
    await board.look('webhook', LIMITS_MS.webhook, async (signal) => {
      made.ears = await openEars(parts);
      const room = { name, metadata };
      const opened = await openProbeRoom(livekit.livekit, options, room, signal);
      if ('outcome' in opened) return { findings: [opened] };
      made.room = opened;
      return { findings: [] };
    });
    if (made.room === undefined) return skip(['media', 'agent'], without('webhook'));
    await lookInto(board, parts, made.room, made.ears ?? null);
  } finally {
    await made.room?.remove();
    await made.ears?.[Symbol.asyncDispose]();
  }
}

/** Null where nobody can listen: another program does, or the port is anybody's. */
async function openEars({ ports, config }: ProbeParts): Promise<Ears | null> {
  if (ports?.launcher) return Ears.ofLauncher(ports.launcher);
  return ports?.free.webhook ? Ears.own(config.webhookListen, config.webhookKeys) : null;
}

async function lookInto(
  board: Board,
  { question, config, ports, place }: ProbeParts,
  room: ProbeRoom,
  ears: Ears | null,
): Promise<void> {
  const asked = question.probe;
  const { webhookListen, taskLivekitUrl, profiles } = config;
  const options = { ...config.livekit, requestTimeoutMs: LIVEKIT_TIMEOUT_MS, taskLivekitUrl };
  const webhook =
    ears === null
      ? board.skip('webhook', 'nobody can listen at LAUNCHER_WEBHOOK_LISTEN: see `ports`')
      : board.look('webhook', LIMITS_MS.webhook, (signal) =>
          examineWebhook(ears, room, webhookListen, signal),
        );
  const media =
    place === undefined
      ? board.skip('media', without('network'))
      : board.look('media', LIMITS_MS.media, (signal) =>
          examineMedia(place, room, options, signal),
        );
  const { profile } = profileFor({ name: room.name, metadata: asked?.metadata ?? '' }, profiles);
  const agent = board.look('agent', LIMITS_MS.agent, async (signal) => {
    const own = (async () => {
      if (!ports?.launcher || ears === null) return NO_LAUNCHER;
      if (profile.launch === false) return NO_PROFILE;
      return examineAgent(ears, room, signal);
    })();
    const others = Promise.allSettled([webhook, media, own]);
    const second = examineSecondAgent(room, others, signal);
    return { findings: await Promise.all([own, second]) };
  });
  await Promise.all([webhook, media, agent]);
}

const NO_PROFILE = unseen(
  'no profile launches anything for such a room',
  'choose a profile by a name or metadata that it matches: --room, --metadata',
);
