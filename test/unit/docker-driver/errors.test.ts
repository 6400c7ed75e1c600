import { describe, expect, it } from 'vitest';
import { DriverError } from '../../../launcher/driver.ts';
import {
  driverErrorOf,
  pullRefusalOf,
  refusalOf,
  wordsOf,
} from '../../../launcher/drivers/docker/errors.ts';

const answer = (statusCode: number, message = 'words') =>
  Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), {
    statusCode,
    json: { message },
  });
const failure = (code: string) => Object.assign(new Error('words'), { code });

describe('errors of the engine', () => {
  it.each([
    [400, 'invalid', 'never'],
    [403, 'denied', 'never'],
    [404, 'capacity', 'same-key'],
    [429, 'throttled', 'same-key'],
    [500, 'capacity', 'same-key'],
  ])('%i refuses a launch: %s, %s', (status, reason, retry) => {
    expect(refusalOf(answer(status))).toMatchObject({ reason, retry, detail: 'words' });
  });

  it.each([answer(502), answer(503), answer(504), failure('ECONNRESET'), new Error('aborted')])(
    '%s decides nothing',
    (error) => expect(refusalOf(error)).toBeNull(),
  );

  it.each([
    [answer(404), 'never'],
    [answer(401), 'never'],
    [answer(500), 'same-key'],
    [new Error('in mid-stream'), 'same-key'],
  ])('a pull that failed with %s: %s', (error, retry) => {
    const refusal = pullRefusalOf('agent:1', error);
    expect(refusal).toMatchObject({ reason: 'image', retry });
    expect(refusal.detail).toContain('agent:1');
  });

  it.each([
    [failure('ENOENT'), 'unavailable', /unix:\/\/\/s: .*is Docker running/],
    [failure('EACCES'), 'denied', /group/],
    [failure('ECONNREFUSED'), 'unavailable', /unix:\/\/\/s/],
    [new DOMException('stopped', 'AbortError'), 'unavailable', /stopped/],
    [answer(500), 'unavailable', /^words$/],
    [answer(409), 'conflict', /^words$/],
    [answer(403), 'denied', /^words$/],
  ])('%s is %s', (error, kind, message) => {
    const converted = driverErrorOf(error, 'unix:///s');
    expect(converted).toBeInstanceOf(DriverError);
    expect(converted).toMatchObject({ kind, cause: error });
    expect(converted.message).toMatch(message);
  });

  it('leaves ours as they are, and passes the engine’s words on in one line', () => {
    const ours = new DriverError('conflict', 'it lives');
    expect(driverErrorOf(ours, '')).toBe(ours);
    expect(wordsOf(answer(500, 'two\n lines'))).toBe('two lines');
    // Of an answer that was to be a stream the library keeps the words in its message alone.
    expect(wordsOf(Object.assign(answer(404, 'not found'), { json: null }))).toBe('not found');
  });
});
