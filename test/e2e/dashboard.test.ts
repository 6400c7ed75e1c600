/** The dashboard over the real launcher: a real LiveKit server, real rooms, tasks as processes. */
import { AccessToken } from 'livekit-server-sdk';
import { Room } from '@livekit/rtc-node';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { browserFor, isSame, look } from '../support/dashboard.ts';
import { type Bed, startBed } from '../support/launcher.ts';
import { describeWith } from '../support/left-out.ts';
import { served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';

const HOSTILE = `<img src=x onerror="alert('a room')"><script>alert(1)</script>"'&lt;`;

describeWith('livekit', 'chromium')('the dashboard of a real launcher', () => {
  const bedside = new Cleanup();
  const cleanup = new Cleanup();
  let bed: Bed;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    bed = await startBed(bedside, { env: { LAUNCHER_RESYNC_SECONDS: '2' } });
    browser = await browserFor(bedside);
    url = `http://127.0.0.1:${bed.launcher.ports.admin}`;
  }, 600_000);
  afterEach(async () => {
    for (const { name } of await bed.rooms.listRooms()) await bed.rooms.deleteRoom(name);
    await cleanup.run();
  });
  afterAll(() => bedside.run());

  test('a room appears, changes and goes, and so does its task, without a reload', async () => {
    const seen = await look(cleanup, browser, url);
    const { page, row } = seen;
    await page.getByText('No live rooms.').waitFor();
    await bed.rooms.createRoom({ name: 'standup' });
    await row('rooms', 'standup').waitFor();
    await row('rooms', 'standup').getByText('serving').waitFor();
    const { key } = await served(bed, 'standup');
    await row('tasks', key).getByText('running').waitFor();
    await row('tasks', key)
      .locator('svg title', { hasText: 'assigned to active' })
      .waitFor({ state: 'attached' });
    await row('events', key).filter({ hasText: 'task.active' }).waitFor();
    await row('tasks', key)
      .locator('[data-memory]', { hasText: /\d+ MiB/ })
      .waitFor();
    await row('tasks', key).locator('[data-cpu]', { hasText: /\d %/ }).waitFor();

    const visitor = cleanup.use(await visit(bed.server, 'standup'));
    const people = row('rooms', 'standup').locator('td').nth(2);
    await people.filter({ hasText: /^1$/ }).waitFor();
    await visitor[Symbol.asyncDispose]();
    await bed.rooms.deleteRoom('standup');
    await row('rooms', 'standup').waitFor({ state: 'detached' });
    await row('tasks', key).waitFor({ state: 'detached' });
    await row('ends', key).getByText('served').waitFor();
    await isSame(seen);
  });

  test('a stop asks first, by keyboard too, and ends the agent', async () => {
    await bed.rooms.createRoom({ name: 'sales' });
    const { key } = await served(bed, 'sales');
    const seen = await look(cleanup, browser, url);
    const { page, row } = seen;
    const stop = row('rooms', 'sales').getByRole('button', { name: 'Stop the agent of sales' });
    await stop.click();
    await page.getByRole('dialog').getByText('Stop the agent of sales?').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect((await bed.launcher.rooms())[0]).toMatchObject({ state: 'serving' });

    await stop.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('It is being stopped.').waitFor();
    await row('ends', key).getByText('served').waitFor();
    await row('rooms', 'sales').getByText('served').waitFor();
    expect(await stop.count()).toBe(0);
    await isSame(seen);
  });

  test('names that hold HTML are shown as they are', async () => {
    await bed.rooms.createRoom({ name: HOSTILE });
    const { sid } = await served(bed, HOSTILE);
    const seen = await look(cleanup, browser, url);
    const { page, row } = seen;
    await row('rooms', HOSTILE).getByText('serving').waitFor();
    await row('events', HOSTILE).first().waitFor();
    await row('rooms', HOSTILE).getByRole('button').click();
    await page.getByRole('dialog').getByText(HOSTILE).waitFor();
    await page.keyboard.press('Escape');
    await row('rooms', HOSTILE).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: HOSTILE }).waitFor();
    expect(page.url()).toContain(sid);
    expect(await page.locator('img, script:not([src])').count()).toBe(0);
    expect(seen.complaints).toEqual([]);
  });

  test('a page comes back by itself when the launcher was started anew', async () => {
    await bed.rooms.createRoom({ name: 'clinic' });
    await served(bed, 'clinic');
    const seen = await look(cleanup, browser, url);
    const { page, row } = seen;
    await row('rooms', 'clinic').getByText('serving').waitFor();
    await bed.launcher.end('SIGTERM');
    await page.getByRole('status').getByText('reconnecting').waitFor();
    expect(await row('rooms', 'clinic').count()).toBe(1);
    await bed.launcher.restart();
    await page.getByRole('status').getByText('live').waitFor();
    await bed.rooms.createRoom({ name: 'podcast' });
    await row('rooms', 'podcast').getByText('serving').waitFor();
    await row('rooms', 'clinic').getByText('serving').waitFor();
    await isSame(seen);
  });

  test('a second agent in a room is flagged, and its page says what that is', async () => {
    await bed.rooms.createRoom({ name: 'lobby' });
    const { sid } = await served(bed, 'lobby');
    const { apiKey, apiSecret } = bed.server;
    const token = new AccessToken(apiKey, apiSecret.reveal(), { identity: 'agent-elsewhere' });
    token.kind = 'agent';
    token.addGrant({ roomJoin: true, room: 'lobby' });
    const other = new Room();
    await other.connect(bed.server.url, await token.toJwt());
    cleanup.defer(() => other.disconnect());
    const { page, row } = await look(cleanup, browser, url);
    await row('rooms', 'lobby').getByText('a second agent').waitFor();
    await page.getByRole('button', { name: '1 second agent' }).click();
    expect(await row('rooms', 'lobby').count()).toBe(1);
    const room = await look(cleanup, browser, `${url}/rooms/${sid}`);
    await room.page.getByText('Another agent sits in this room beside ours.').waitFor();
    await other.disconnect();
    await row('rooms', 'lobby').getByText('a second agent').waitFor({ state: 'detached' });
  });

  test("a room's page shows its history and what its task prints, as it comes", async () => {
    await bed.rooms.createRoom({ name: 'interview' });
    const { sid, key } = await served(bed, 'interview');
    const seen = await look(cleanup, browser, `${url}/rooms/${sid}`);
    const { page, row } = seen;
    await page.getByRole('heading', { level: 1, name: 'interview' }).waitFor();
    for (const event of ['webhook.receive', 'task.launch', 'task.register', 'task.assign']) {
      await row('events', event).first().waitFor();
    }
    const log = page.getByRole('log', { name: `Log of ${key}` });
    const [first = ''] = (await bed.launcher.taskLog(key)).split('\n');
    await log.getByText(first.slice(0, 60)).waitFor();
    await bed.rooms.deleteRoom('interview');
    await row('events', /task\.end(?!ing)/).waitFor();
    await page.locator('article.task').getByText('served').waitFor();
    await isSame(seen);
    const unknown = await bed.launcher.admin('/rooms/RM_nothing');
    expect(unknown.status).toBe(404);
  });
});
