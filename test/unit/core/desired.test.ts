/** Which profile a room gets. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  profileFor,
  type Profile,
  type Profiles,
  type RoomMatch,
  shadowedProfiles,
} from '../../../launcher/core/desired.ts';
import { globMatches } from '../../../launcher/core/glob.ts';
import { PROFILE } from './plan-world.ts';

function named(name: string, match?: RoomMatch, more: Partial<Profile> = {}): Profile {
  return { ...PROFILE, name, ...(match && { match }), ...more };
}

const PROFILES: Profiles = {
  list: [
    named('support', { room: 'support-*' }),
    named('gold', { metadata: { tier: 'gold' } }),
    named('gold-eu', { room: 'eu-*', metadata: { level: 2, beta: true, note: null } }),
    named('skip', { room: 'test-?' }, { launch: false, template: '' }),
  ],
  unmatched: named('', undefined, { launch: false, template: '' }),
};
const WITH_DEFAULT = { ...PROFILES, list: [...PROFILES.list, named('default')] };

const naming = (profile: unknown) => JSON.stringify({ 'room-launcher': { profile } });

describe('the profile of a room', () => {
  it.each<[room: string, metadata: string, profile: string, by: string | null]>([
    ['support-1', '', 'support', 'match'],
    ['support-', '', 'support', 'match'],
    ['Support-1', '', '', null],
    ['my-support-1', '', '', null],
    ['any', '{"tier":"gold"}', 'gold', 'match'],
    ['any', '{"tier":"gold","more":[1]}', 'gold', 'match'],
    ['any', '{"tier":"Gold"}', '', null],
    ['any', '{"tier":["gold"]}', '', null],
    ['any', '{"a":{"tier":"gold"}}', '', null],
    ['any', '[{"tier":"gold"}]', '', null],
    ['any', '"gold"', '', null],
    ['any', '{"tier":"gold"', '', null],
    ['any', 'null', '', null],
    ['support-1', '{"tier":"gold"}', 'support', 'match'],
    ['eu-1', '{"level":2,"beta":true,"note":null}', 'gold-eu', 'match'],
    ['eu-1', '{"level":"2","beta":true,"note":null}', '', null],
    ['eu-1', '{"level":2,"beta":true}', '', null],
    ['us-1', '{"level":2,"beta":true,"note":null}', '', null],
    ['test-1', '', 'skip', 'match'],
    ['test-12', '', '', null],
    ['support-1', naming('gold'), 'gold', 'metadata'],
    ['any', naming('skip'), 'skip', 'metadata'],
    ['any', naming(''), '', null],
    ['support-1', naming(7), 'support', 'match'],
    ['support-1', '{"room-launcher":"gold"}', 'support', 'match'],
    ['support-1', '{"room-launcher":null}', 'support', 'match'],
  ])('of room "%s" with metadata %s is "%s"', (name, metadata, profile, by) => {
    const choice = profileFor({ name, metadata }, PROFILES);
    expect(choice).toMatchObject({ profile: { name: profile }, by, unknownName: null });
    const orDefault = profileFor({ name, metadata }, WITH_DEFAULT);
    expect(orDefault.profile.name).toBe(profile || 'default');
  });

  it('is the matching one where the metadata names none that exists, which is told', () => {
    const metadata = naming('suport');
    const found = profileFor({ name: 'support-1', metadata }, PROFILES);
    expect(found).toMatchObject({ profile: { name: 'support' }, by: 'match' });
    expect(found.unknownName).toBe('suport');
    expect(profileFor({ name: 'any', metadata }, PROFILES)).toMatchObject({
      profile: { name: '', launch: false },
      by: null,
      unknownName: 'suport',
    });
  });

  it('needs all keys of a match, own ones', () => {
    const list = [named('odd', { metadata: { constructor: null, ['__proto__']: 1 } })];
    const profiles = { ...PROFILES, list };
    const of = (metadata: string) => profileFor({ name: 'a', metadata }, profiles).profile.name;
    expect(of('{}')).toBe('');
    expect(of('{"constructor":null,"__proto__":1}')).toBe('odd');
  });

  it('is found for any metadata', () => {
    const metadata = fc.oneof(fc.string(), fc.json(), fc.json().map(tornJson), ourMetadata());
    fc.assert(
      fc.property(fc.string(), metadata, (name, text) => {
        const { profile, by, unknownName } = profileFor({ name, metadata: text }, PROFILES);
        expect(by === null).toBe(profile === PROFILES.unmatched);
        expect(PROFILES.list.map((each) => each.name)).not.toContain(unknownName);
      }),
    );
  });
});

function tornJson(text: string): string {
  return text.slice(0, -1);
}

/** Metadata that speaks to the launcher, in odd ways too. */
function ourMetadata() {
  const profile = fc.oneof(fc.constantFrom('gold', 'skip', 'none'), fc.jsonValue());
  return fc
    .record({ 'room-launcher': fc.oneof(fc.record({ profile }), fc.jsonValue()) })
    .map((value) => JSON.stringify(value));
}

describe('a glob', () => {
  it.each([
    ['*', '', true],
    ['**', 'a', true],
    ['', '', true],
    ['', 'a', false],
    ['a*', 'a', true],
    ['a*b', 'a/x\nb', true],
    ['a*b', 'ab-', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['*ab', 'aab', true],
    ['*a?', 'aba', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['?', '😀', true],
    ['*?', '', false],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['{a,b}', 'a', false],
    ['a\\*', 'a\\x', true],
    ['(a+)+$', 'aaaa', false],
  ])('%j over %j: %s', (glob, name, matches) => {
    expect(globMatches(glob, name)).toBe(matches);
  });

  it('says what the regular expression of the same meaning says', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 });
    const names = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 });
    const says = fc.property(letters, names, (glob, name) => {
      const parts = glob.map((char) => (char === '*' ? '.*' : char.replace('?', '.')));
      const expected = new RegExp(`^${parts.join('')}$`).test(name.join(''));
      expect(globMatches(glob.join(''), name.join(''))).toBe(expected);
    });
    fc.assert(says, { numRuns: 2_000 });
  });

  it('is answered for a name that would keep a backtracking matcher busy for ever', () => {
    const name = 'a'.repeat(5_000);
    expect(globMatches(`${'a*'.repeat(50)}b`, name)).toBe(false);
    expect(globMatches(`${'*a?'.repeat(50)}*`, name)).toBe(true);
  });
});

describe('profiles after one for every room', () => {
  it.each<[RoomMatch | undefined, boolean]>([
    [undefined, true],
    [{ room: '*' }, true],
    [{ room: '**' }, true],
    [{ metadata: {} }, true],
    [{ room: '*-*' }, false],
    [{ room: '' }, false],
    [{ room: '*', metadata: { a: 1 } }, false],
  ])('%j, and only they, are reached by metadata alone: %s', (match, every) => {
    const list = [named('one', { room: 'a' }), named('all', match), named('b'), named('c')];
    const last = { name: 'c', by: every ? 'all' : 'b' };
    expect(shadowedProfiles({ ...PROFILES, list })).toEqual(
      every ? [{ name: 'b', by: 'all' }, last] : [last],
    );
  });
});
