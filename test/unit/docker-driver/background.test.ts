/** What goes on behind a launch and a stop: pulls and requests that are held open. */
import { describe, expect, it } from 'vitest';
import { Images } from '../../../launcher/drivers/docker/images.ts';
import { Stops } from '../../../launcher/drivers/docker/stops.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { RecordedLog } from '../../fakes/log.ts';

const calm = () => new AbortController().signal;

function stopsOnFake() {
  const clock = new FakeClock();
  const log = new RecordedLog();
  const asked: { seconds: number; end: (stopped: boolean) => void; signal: AbortSignal }[] = [];
  const engine = {
    stop: (_id: string, seconds: number, signal: AbortSignal) =>
      new Promise<boolean>((resolve, reject) => {
        asked.push({ seconds, end: resolve, signal });
        signal.addEventListener('abort', () => reject(new Error('let go')));
      }),
  };
  return { clock, log, asked, engine, stops: new Stops(clock, log) };
}

describe('stops', () => {
  it('are taken although the engine answers only at the end, and show until then', async () => {
    const { clock, asked, engine, stops: held } = stopsOnFake();
    const answer = held.ask(engine, 'a', 1_400, calm());
    await clock.advance(1_000);
    expect(await answer).toBe(true);
    expect(asked.map(({ seconds }) => seconds)).toEqual([2]);
    expect(held.isStopping('a')).toBe(true);
    asked[0]?.end(true);
    await clock.advance(0);
    expect(held.isStopping('a')).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('say at once that there is nothing to stop', async () => {
    const { clock, asked, engine, stops: held } = stopsOnFake();
    const answer = held.ask(engine, 'a', 1_000, calm());
    asked[0]?.end(false);
    expect(await answer).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('are repeated only to hurry the end', async () => {
    const { clock, asked, engine, stops: held } = stopsOnFake();
    for (const graceMs of [10_000, 10_000, 60_000, 1_000]) {
      const answer = held.ask(engine, 'a', graceMs, calm());
      await clock.advance(300);
      expect(await answer).toBe(true);
    }
    expect(asked.map(({ seconds }) => seconds)).toEqual([10, 1]);
    // The one that went out first ends: the other is still under way.
    asked[0]?.end(true);
    await clock.advance(0);
    expect(held.isStopping('a')).toBe(true);
    held.close();
    await clock.advance(0);
    expect(held.isStopping('a')).toBe(false);
  });

  it('are given up when the engine never answers, and that is said', async () => {
    const { clock, log, engine, stops: held } = stopsOnFake();
    const answer = held.ask(engine, 'a', 1_000, calm());
    await clock.advance(300);
    expect(await answer).toBe(true);
    await clock.advance(61_000);
    expect(held.isStopping('a')).toBe(false);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  });
});

const AGENT = { template: 'agent:1' };

function imagesOnFake() {
  const clock = new FakeClock();
  const log = new RecordedLog();
  const pulls: AbortSignal[] = [];
  const engine = {
    architecture: 'amd64',
    found: null as { user: string; architecture: string } | null,
    image: async () => engine.found,
    pull: async (_name: string, signal: AbortSignal) => {
      pulls.push(signal);
      return endless(signal);
    },
  };
  return { clock, log, pulls, engine, images: new Images({ clock, log }) };
}

describe('images', () => {
  it('for root or another architecture are warned about once', async () => {
    const { log, engine, images: known } = imagesOnFake();
    engine.found = { user: 'root:root', architecture: 'arm64' };
    expect(await known.ready(engine, AGENT)).toBeNull();
    expect(await known.ready(engine, AGENT)).toBeNull();
    const said = log.lines.map(({ text }) => text);
    expect(said).toEqual([expect.stringContaining('architec'), expect.stringContaining('root')]);
  });

  it('for root are fine where a user was chosen', async () => {
    const { log, engine, images: known } = imagesOnFake();
    engine.found = { user: '', architecture: 'amd64' };
    await known.prepare(engine, { ...AGENT, options: { user: '10001' } });
    expect(await known.ready(engine, { ...AGENT, options: { user: '10001' } })).toBeNull();
    expect(log.lines).toEqual([]);
    // Another profile of the same image.
    await known.prepare(engine, AGENT);
    expect(log.lines).toHaveLength(1);
  });

  it('whose pull stands still have failed; later the registry is asked again', async () => {
    const { clock, log, pulls, engine, images: known } = imagesOnFake();
    for (const each of [1, 2]) {
      expect(await known.ready(engine, AGENT), String(each)).toMatchObject({
        reason: 'pulling',
      });
    }
    expect(pulls).toHaveLength(1);
    await clock.advance(300_000);
    expect(pulls[0]?.aborted).toBe(true);
    const failed = { reason: 'image', retry: 'same-key' };
    expect(await known.ready(engine, AGENT)).toMatchObject(failed);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await clock.advance(30_000);
    expect(await known.ready(engine, AGENT)).toMatchObject({ reason: 'pulling' });
    await known.close();
    expect(pulls).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});

/** Sends nothing, and breaks on an abort. */
async function* endless(signal: AbortSignal): AsyncIterable<string> {
  yield '{"status":"Pulling"}\n';
  signal.throwIfAborted();
  await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });
}
