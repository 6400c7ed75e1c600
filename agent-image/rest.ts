/**
 * What a task does once while it waits, when no room came with its registration: a standby.
 *
 * LiveKit's native client makes its media engine, reads the certificates and asks for the system's
 * name at its first join, and V8 keeps what loading an agent left behind until it needs the room.
 * Both are done now, while nobody waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RtcLibrary } from './load-agent.ts';
import { type RunnerLog, thrown } from './log.ts';

/** A launched task has its room by then: it is not kept from joining it. */
const PATIENCE_MS = 250;
/** Nothing listens there, and loopback refuses at once. */
const NOWHERE = 'ws://127.0.0.1:1';
const SAMPLE_RATE = 48_000;

/** Resolves when it is done or `signal` aborts. Never rejects: all this is for speed. */
export async function rest(rtc: RtcLibrary, log: RunnerLog, signal: AbortSignal): Promise<void> {
  try {
    await sleep(PATIENCE_MS, undefined, { signal, ref: false });
    await warmMedia(rtc);
    await new rtc.Room().connect(NOWHERE, '').catch(() => {});
    if (!signal.aborted) giveBackMemory();
  } catch (error) {
    if (!signal.aborted) log.warn('warming up failed', thrown(error));
  }
}

/** The first track makes the engine, which is kept. */
async function warmMedia({ AudioSource, LocalAudioTrack }: RtcLibrary): Promise<void> {
  const source = new AudioSource(SAMPLE_RATE, 1);
  const track = LocalAudioTrack.createAudioTrack('warm-up', source);
  await track.close();
}

/** V8 returns what it holds for growth only at such a collection, which has no other door. */
function giveBackMemory(): void {
  setFlagsFromString('--no-flush-bytecode');
  setFlagsFromString('--expose-gc');
  const collect: (how: object) => void = runInNewContext('gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
