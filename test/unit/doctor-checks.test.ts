/** The doctor's pure parts: what an answer means, how checks are run, and how the report reads. */
import { createServer } from 'node:http';
import { describe, expect, it, test } from 'vitest';
import { lookOf, PLAIN } from '../../launcher/cli/table.ts';
import { Board } from '../../launcher/doctor/board.ts';
import { clockFinding } from '../../launcher/doctor/clocks.ts';
import { ok, unseen, warning, wrong } from '../../launcher/doctor/finding.ts';
import { LauncherApi, type ListedTask } from '../../launcher/doctor/launcher-api.ts';
import { gatewayFinding, livekitFinding } from '../../launcher/doctor/network.ts';
import { mediaFinding } from '../../launcher/doctor/probe.ts';
import { reportLines, summaryOf } from '../../launcher/doctor/report.ts';
import { otherAgents } from '../../launcher/doctor/rooms.ts';
import { standbyFinding } from '../../launcher/doctor/standbys.ts';
import type { RoomSid } from '../../launcher/core/room.ts';
import { listen } from '../../launcher/lib/listen.ts';
import { FakeClock } from '../fakes/clock.ts';

const NEVER = new AbortController().signal;
const PLACE = { name: 'a container of a:1' };

describe('a report', () => {
  const reports = [
    { check: 'ports' as const, findings: [ok('free')], tookMs: 1 },
    { check: 'livekit' as const, findings: [wrong('away', 'start it')], tookMs: 1 },
    { check: 'rooms' as const, findings: [unseen('not yet'), warning('two')], tookMs: 1 },
  ];

  it('has a line for each finding, one below it with what to do, and a summary', () => {
    expect(reportLines(reports, PLAIN.paint)).toBe(
      [
        'ok             ports    free',
        'wrong          livekit  away',
        '                        -> start it',
        'not looked at  rooms    not yet',
        'warning        rooms    two',
        '',
      ].join('\n'),
    );
    expect(summaryOf(reports)).toBe('1 wrong, 1 warning, 1 not looked at, 1 ok');
    expect(summaryOf([])).toBe('0 wrong');
  });

  it('shows what others wrote as one line, without what moves a cursor', () => {
    const findings = [wrong('it says: \u001B[2J\nno', 'look at\r\u202Eit')];
    const text = reportLines([{ check: 'ports', findings, tookMs: 1 }], PLAIN.paint);
    expect(text).toContain(String.raw`it says: \u001b[2J\u000ano`);
    expect(text).toContain(String.raw`look at\u000d\u202eit`);
  });

  it('is coloured word by word where it may be', () => {
    const { paint } = lookOf({ isTTY: true, write: () => true }, {});
    const word = '\u001B[31mwrong        \u001B[39m  livekit  away';
    expect(reportLines(reports, paint)).toContain(word);
  });
});

describe('the board', () => {
  it('gives a value on, keeps the order of the checks, and says what was left out', async () => {
    const board = new Board(new FakeClock(), NEVER);
    board.skip('rooms', 'no LiveKit', 'start it');
    const seen = { findings: [ok('here')], value: 7 };
    expect(await board.look('ports', 1_000, () => Promise.resolve(seen))).toBe(7);
    expect(board.reports().map(({ check }) => check)).toEqual(['ports', 'rooms']);
    expect(board.reports()[1]?.findings).toEqual([unseen('no LiveKit', 'start it')]);
  });

  it('takes a failure for a finding', async () => {
    const board = new Board(new FakeClock(), NEVER);
    const error = new Error('broken\nhere');
    expect(await board.look('ports', 1_000, () => Promise.reject(error))).toBeUndefined();
    expect(board.reports()[0]?.findings).toEqual([wrong('broken here')]);
  });

  it('gives up what takes too long, also what does not listen', async () => {
    const clock = new FakeClock();
    const board = new Board(clock, NEVER);
    const looked = board.look('ports', 2_000, () => new Promise<never>(() => {}));
    await clock.advance(1_500);
    expect(board.runningFor(1_000)).toEqual(['ports']);
    await clock.advance(15_000);
    await looked;
    expect(board.reports()[0]?.findings).toEqual([wrong('no answer within 2 s; it was given up')]);
    expect(board.runningFor(0)).toEqual([]);
  });

  it('ends with its caller', async () => {
    const end = new AbortController();
    const board = new Board(new FakeClock(), end.signal);
    const looked = board.look('ports', 2_000, async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
      return { findings: [] };
    });
    end.abort('SIGINT');
    await looked;
    expect(board.reports()[0]?.findings).toEqual([unseen('the doctor was ended before')]);
  });

  it('believes nothing that a check found of being ended', async () => {
    const end = new AbortController();
    const board = new Board(new FakeClock(), end.signal);
    const looked = board.look('livekit', 2_000, async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { findings: [wrong('LiveKit does not answer: aborted')], value: 7 };
    });
    end.abort('SIGINT');
    expect(await looked).toBeUndefined();
    expect(board.reports()[0]?.findings).toEqual([unseen('the doctor was ended before')]);
  });
});

/** The first event of a launcher that answers so. */
async function firstOf(status: number, text: string) {
  const server = createServer((_request, answer) => {
    answer.writeHead(status).write(text);
  });
  try {
    const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'the test');
    const events = new LauncherApi(`http://127.0.0.1:${port}`).events(NEVER);
    const { value } = await events.next();
    await events.return(undefined);
    return value as unknown;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the events of a launcher', () => {
  it('are read', async () => {
    const event = { time: '2026-01-01T00:00:00.000Z', event: 'task.end' };
    expect(await firstOf(200, `id: 1\ndata: ${JSON.stringify(event)}\n\n`)).toEqual(event);
  });

  it('are refused from what sends no events, or no end of one', async () => {
    await expect(firstOf(500, 'data: {}\n\n')).rejects.toThrow(/^the launcher at .* answered 500$/);
    await expect(firstOf(200, 'x'.repeat(1_100_000))).rejects.toThrow('no stream of events');
  });
});

test.each([
  [0, 'ok', 'agrees with ours'],
  [-4_900, 'ok', 'agrees with ours'],
  [-30_000, 'warning', '30 s behind ours'],
  [61_000, 'wrong', '61 s ahead of ours'],
])('a clock that is %s ms ahead: %s', (aheadMs, outcome, words) => {
  const finding = clockFinding({ name: 'X', aheadMs });
  expect(finding).toMatchObject({ outcome, text: expect.stringContaining(words) });
});

describe('an answer to a dial of the gateway', () => {
  const question = {
    gatewayUrl: 'ws://here:1',
    gatewayIsGiven: true,
    gatewayListen: { host: '::', port: 8083 },
  };
  const asked = { question, place: PLACE, nonce: 'n', isNobody: false };

  test.each([
    [{ status: 200, nonce: 'n' }, 'ok'],
    [{ status: 101, nonce: null }, 'ok'],
    [{ status: 410 }, 'ok'],
    [{ status: 503 }, 'ok'],
    [{ status: 401 }, 'wrong'],
    [{ status: 200, nonce: 'of-another-doctor' }, 'wrong'],
    [{ status: 502 }, 'wrong'],
    [{ error: 'ENOTFOUND' }, 'wrong'],
    [{}, 'wrong'],
  ])('%j: %s', (reply, outcome) => {
    expect(gatewayFinding(reply, asked)).toMatchObject({ outcome });
  });

  it('where nobody listens, nothing can be said of it', () => {
    const nobody = { ...asked, isNobody: true };
    expect(gatewayFinding({ status: 503 }, nobody).outcome).toBe('warning');
    const own = { ...nobody, question: { ...question, gatewayIsGiven: false } };
    expect(gatewayFinding({ error: 'ECONNREFUSED' }, own).outcome).toBe('unseen');
    expect(gatewayFinding({ error: 'ECONNREFUSED' }, nobody).outcome).toBe('wrong');
  });
});

test.each([
  [{ status: 200 }, 'ok'],
  [{ status: 404 }, 'ok'],
  [{ status: 502 }, 'wrong'],
  [{ error: 'ETIMEDOUT' }, 'wrong'],
])("LiveKit's answer %j: %s", (reply, outcome) => {
  const question = { taskLivekitUrl: 'ws://lk', livekitIsWell: true };
  expect(livekitFinding(reply, question, PLACE)).toMatchObject({ outcome });
});

test.each([
  [{ protocol: 'udp' }, 'ok', 'media by UDP'],
  [{ protocol: 'tcp' }, 'warning', 'media by TCP'],
  [{ protocol: null }, 'ok', 'does not say'],
  [{ error: 'no connection for media within 12 s' }, 'wrong', 'no connection for media'],
  [{ missing: true }, 'unseen', '@livekit/rtc-node'],
])('media, %j: %s', (media, outcome, words) => {
  const finding = mediaFinding(media, PLACE.name);
  expect(finding).toMatchObject({ outcome, text: expect.stringContaining(words) });
});

const task = (more: Partial<ListedTask>): ListedTask => ({
  key: 's-calm-0-12345678',
  standby: 'not-ready',
  phase: 'running',
  verdict: null,
  reason: '',
  socket: null,
  ...more,
});

describe('standbys', () => {
  const calm = { name: 'calm', standby: 1 };

  test.each([
    [[task({ standby: 'ready' })], 'ok', 'and 1 can take a room'],
    [[], 'wrong', 'none is on its way'],
    [[task({})], 'wrong', 's-calm-0-12345678 is running and has not registered'],
    [[task({ phase: 'ended', reason: 'exit 1' })], 'wrong', 'is ended (exit 1)'],
    [[task({ key: 's-other-0-12345678', standby: 'ready' })], 'wrong', 'none is on its way'],
    [[task({ key: null })], 'wrong', 'none is on its way'],
  ])('%#: %s', (tasks, outcome, words) => {
    const finding = standbyFinding(calm, tasks);
    expect(finding).toMatchObject({ outcome, text: expect.stringContaining(words) });
  });
});

const of = (identity: string, kind: 'agent' | 'other') => ({ identity, kind, attributes: {} });

test('a second agent is one of another identity; visitors are none', () => {
  const sid = 'RM_a' as RoomSid;
  const here = [of('agent-RM_a', 'agent'), of('visitor', 'other'), of('agent-AJ_1', 'agent')];
  expect(otherAgents({ sid }, here)).toEqual([of('agent-AJ_1', 'agent')]);
});
