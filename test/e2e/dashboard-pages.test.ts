/** The dashboard's pages over a world made up: for everyone, by keyboard, on a phone, in numbers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import AxeBuilder from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AdminListener } from '../../launcher/admin/listener.ts';
import { Cleanup } from '../support/cleanup.ts';
import { browserFor, isSame, look } from '../support/dashboard.ts';
import { World } from '../support/dashboard-world.mjs';
import { describeWith } from '../support/left-out.ts';
import { waitFor } from '../support/wait.ts';

const PHONE = { viewport: { width: 390, height: 844 } };
const LONG = 'a-room-whose-name-goes-on-and-on-without-any-place-to-break-it-'.repeat(4);

/** What axe finds that is serious or worse. */
async function serious(page: Page): Promise<readonly string[]> {
  // Evaluated from outside, which the page's own policy does not concern.
  await page.evaluate(AxeBuilder.source);
  const { violations } = await page.evaluate<{
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  }>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

describeWith('chromium')("the dashboard's pages", () => {
  const bedside = new Cleanup();
  const cleanup = new Cleanup();
  let browser: Browser;
  let world: World;
  let listener: AdminListener;
  let url: string;

  beforeAll(async () => {
    browser = await browserFor(bedside);
  });
  beforeEach(async () => {
    world = new World();
    listener = await world.listen();
    cleanup.defer(() => listener.close());
    url = `http://127.0.0.1:${listener.port}`;
  });
  afterEach(() => cleanup.run());
  afterAll(() => bedside.run());

  /** Everything that there is to show, good and bad. */
  function fill(): string {
    const nowMs = Date.now();
    world.open(nowMs - 60_000, { name: LONG });
    const { room, task } = world.open(nowMs - 50_000, { name: 'broken' });
    world.end(task, nowMs - 40_000, 'failed', 1, `agent code failed (exit 1): ${LONG}`);
    Object.assign(room, {
      state: 'failed',
      reason: `four attempts failed: ${LONG}`,
      otherAgents: 2,
    });
    const waiting = world.open(nowMs - 5_000, { name: 'waiting' });
    Object.assign(waiting.room, { state: 'starting', reason: 'the engine starts its task' });
    Object.assign(waiting.task, { phase: 'starting', startedAt: null });
    world.standbysWanted.set('default', 2);
    world.standby(nowMs - 90_000, 'default', 0);
    const since = new Date(nowMs).toISOString();
    const livekit = { state: 'down', since, reason: 'connect ECONNREFUSED' } as const;
    world.readiness = { ...world.readiness, livekit };
    return room.sid;
  }

  test.each<[string, BrowserContextOptions]>([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['light, on a phone', { colorScheme: 'light', ...PHONE }],
    ['dark, on a phone', { colorScheme: 'dark', ...PHONE }],
  ])('axe finds nothing serious: %s', async (_name, options) => {
    const empty = await look(cleanup, browser, url, options);
    expect(await serious(empty.page)).toEqual([]);
    const sid = fill();
    await empty.row('rooms', 'broken').waitFor();
    const full = await look(cleanup, browser, url, options);
    expect(await serious(full.page)).toEqual([]);
    await full.page.locator('button.stop:visible').first().click();
    await full.page.getByRole('dialog').waitFor();
    expect(await serious(full.page)).toEqual([]);
    const room = await look(cleanup, browser, `${url}/rooms/${sid}`, options);
    expect(await serious(room.page)).toEqual([]);
    for (const { complaints } of [empty, full, room]) expect(complaints).toEqual([]);
  });

  test('nothing scrolls sideways on a phone, whatever the names are', async () => {
    const sid = fill();
    for (const path of ['/', `/rooms/${sid}`]) {
      const { page } = await look(cleanup, browser, url + path, PHONE);
      const wide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await page.evaluate(wide), path).toBeLessThanOrEqual(0);
    }
  });

  test('everything is reached by keyboard, and the focus stays while rows change', async () => {
    const nowMs = Date.now();
    const first = world.open(nowMs - 60_000, { name: 'first' });
    world.open(nowMs - 50_000, { name: 'second' });
    const seen = await look(cleanup, browser, url);
    const { page, row } = seen;
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('/');
    await page.keyboard.type('first');
    expect(await row('rooms', 'second').count()).toBe(0);
    expect(new URL(page.url()).searchParams.get('q')).toBe('first');
    await page.keyboard.press('Escape');
    await row('rooms', 'second').waitFor();

    await row('rooms', 'first').getByRole('button').focus();
    Object.assign(first.room, { reason: 'changed meanwhile', participants: 9 });
    world.open(Date.now(), { name: 'third' });
    await row('rooms', 'changed meanwhile').waitFor();
    await row('rooms', 'third').waitFor();
    const focused = 'document.activeElement.getAttribute("aria-label")';
    expect(await page.evaluate(focused)).toBe('Stop the agent of first');
    await isSame(seen);
  });

  test('rows that did not change are not touched', async () => {
    const nowMs = Date.now();
    world.open(nowMs - 60_000, { name: 'quiet' });
    const { page, row } = await look(cleanup, browser, url);
    await page.evaluate(`document.querySelector('[data-list=rooms] tbody tr').mark = 1`);
    world.open(nowMs, { name: 'loud' });
    await row('rooms', 'loud').waitFor();
    const marks = `[...document.querySelectorAll('[data-list=rooms] tbody tr')].map((r) => r.mark)`;
    expect(await page.evaluate(marks)).toEqual([undefined, 1]);
  });

  test('a thousand rooms come a page at a time, and are found by any word', async () => {
    const nowMs = Date.now();
    for (let i = 0; i < 1_000; i += 1) world.open(nowMs - (1_000 - i) * 1_000);
    world.rooms[10]!.state = 'failed';
    const seen = await look(cleanup, browser, url);
    const { page } = seen;
    const rows = page.locator('[data-list="rooms"] tbody tr');
    const turn = page.getByRole('navigation', { name: 'Rooms, pages' });
    await turn.getByText('1 to 25 of 1000').waitFor();
    expect(await rows.count()).toBe(25);
    await turn.getByRole('button', { name: 'Next' }).click();
    await turn.getByText('26 to 50 of 1000').waitFor();
    await page.getByRole('button', { name: '1 failed' }).click();
    await page.locator('[data-count="rooms"]', { hasText: '1 of 1000' }).waitFor();
    expect(await rows.count()).toBe(1);
    await page.getByRole('searchbox').fill(world.rooms[500]!.name);
    await rows.filter({ hasText: world.rooms[500]!.name }).waitFor();
    await page.getByLabel('Kind of event').selectOption({ label: 'Ends' });
    expect(await page.locator('[data-list="events"] tbody tr').count()).toBe(0);
    await isSame(seen);
  });

  test("another site's pages can stop nothing, and keep no line open", async () => {
    const { room, task } = world.open(Date.now(), { name: 'sales' });
    const hostile = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<form method="post"><button>Win</button></form>');
    });
    await new Promise<void>((listening) => void hostile.listen(0, '127.0.0.1', listening));
    cleanup.defer(() => hostile.close());
    const { port } = hostile.address() as AddressInfo;
    for (const host of ['127.0.0.1', 'localhost']) {
      const page = await browser.newPage();
      cleanup.defer(() => page.close());
      for (const path of [`/rooms/${room.sid}/stop`, `/api/tasks/${task.key}/stop`]) {
        await page.goto(`http://${host}:${port}/`);
        // Whether the browser gives the page the answer or not: the request has gone out.
        await page.evaluate(
          `fetch('${url}${path}', {method: 'POST', mode: 'no-cors'}).catch(() => {})`,
        );
        await page.evaluate(`document.forms[0].action = '${url}${path}'`);
        const answer = page.waitForResponse((response) => response.url() === url + path);
        await page.getByRole('button').click();
        expect((await answer).status()).toBe(403);
      }
      await page.goto(`http://${host}:${port}/`);
      const line = page.waitForEvent('requestfailed', (asked) => asked.url().endsWith('/live'));
      await page.evaluate(`void fetch('${url}/dashboard/live', {mode: 'no-cors'}).catch(() => {})`);
      await line;
    }
    expect(world.stopped).toEqual([]);
    const own = await look(cleanup, browser, url);
    await own.row('rooms', 'sales').getByRole('button').click();
    await own.page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
    await waitFor('the stop', () => world.stopped.length > 0);
    expect(world.stopped).toEqual([room.sid]);
  });
});
