/** What a user reads about a task whose agent never came: how far its worker got at the gateway. */
import { JobType } from '@livekit/protocol';
import { describe, expect, it } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import { Accounts } from '../../../launcher/gateway/accounts.ts';
import { REGISTER_TIMEOUT_MS } from '../../../launcher/gateway/socket.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { waitFor } from '../../support/wait.ts';
import {
  allClosed,
  bearer,
  clock,
  dial,
  gateway,
  host,
  OTHER_KEY,
  refusal,
  registered,
  useGateway,
} from './dial.ts';
import { KEY, offer, wait } from './fixture.ts';

useGateway();

const NEVER_DIALLED =
  /^no worker of it has dialled this launcher: .* LIVEKIT_API_SECRET .*given\?$/;

describe('the account of a task', () => {
  it('of nobody says which settings its image may have set itself', () => {
    expect(gateway.account(KEY)).toMatch(NEVER_DIALLED);
  });

  it("after a dial with some project's key mentions it, and how long ago", async () => {
    const refused = await refusal({ headers: { authorization: await bearer('APIproject') } });
    expect(refused.status).toBe(401);
    await clock.advance(7_000);
    expect(gateway.account(KEY)).toMatch(
      /^no worker of it .*\(dials with keys of no task that were refused: 1, the last 7 s ago\)$/,
    );
  });

  it('after a dial with its key and a wrong secret names the setting', async () => {
    const authorization = `${await bearer()}x`;
    expect((await refusal({ headers: { authorization } })).status).toBe(401);
    expect(gateway.account(KEY)).toBe(
      "a dial in its name was refused: the token is not signed with its task's secret: " +
        'use the LIVEKIT_API_SECRET that the launcher set',
    );
    expect(gateway.account(OTHER_KEY)).toMatch(NEVER_DIALLED);
  });

  it('in a token of a task that is not awaited is not believed', async () => {
    host.admission = { answer: 'not-yet', reason: 'not listed' };
    await refusal({ headers: { authorization: `${await bearer()}x` } });
    expect(gateway.account(KEY)).toMatch(NEVER_DIALLED);
  });

  it('of another kind of worker says which kind is served', async () => {
    const client = await dial();
    client.register(JobType.JT_PUBLISHER);
    await client.close();
    expect(gateway.account(KEY)).toBe(
      'its worker dialled and did not register: ' +
        'only room workers are served: set the worker type to ROOM (JT_ROOM)',
    );
  });

  it('of a silent worker says that it did not register', async () => {
    await dial();
    await clock.advance(REGISTER_TIMEOUT_MS);
    expect(gateway.account(KEY)).toBe(
      'its worker dialled and did not register: no register message within 10000 ms',
    );
  });

  it('of one that says no counts the offers, and tells who says so', async () => {
    const client = await registered();
    await client.frame('availability');
    client.answer(false);
    await client.flush();
    expect(gateway.account(KEY)).toBe(
      'its worker has registered and has no job (offers in vain: 1): ' +
        'the worker says that it is not available',
    );
  });

  it('of one that waits says for what', async () => {
    host.looks = [wait, offer];
    await registered();
    await waitFor('the look', () => gateway.account(KEY).endsWith(': LiveKit does not answer'));
  });

  it('of one that took its job points to the task log; gone, it says so', async () => {
    const client = await registered();
    await client.frame('availability');
    client.answer();
    await client.frame('assignment');
    expect(gateway.account(KEY)).toBe('its worker took the job; the task log says more');
    client.ws.close();
    await allClosed();
    expect(gateway.account(KEY)).toBe('its worker hung up');
  });
});

it('no more than a thousand tasks are remembered', () => {
  const accounts = new Accounts(new FakeClock());
  for (let i = 0; i <= 1_000; i++) accounts.note(`r-RM_abc-${i + 1}` as TaskKey, `note ${i}`);
  expect(accounts.of('r-RM_abc-1' as TaskKey)).toMatch(NEVER_DIALLED);
  expect(accounts.of('r-RM_abc-2' as TaskKey)).toBe('note 1');
});
