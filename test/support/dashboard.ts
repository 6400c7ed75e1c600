/** The dashboard in a browser, as a test looks at it: what the page complains of fails the test. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { startBrowser } from './browser.mjs';
import type { Cleanup } from './cleanup.ts';

/** Two cores that a media server shares need their time. */
const SEEN_DEADLINE_MS = 20_000;

export async function browserFor(cleanup: Cleanup): Promise<Browser> {
  const browser = await startBrowser();
  cleanup.defer(() => browser.close());
  return browser;
}

export interface Look {
  readonly page: Page;
  /** What the page's scripts and its policy complained of; requests that failed are no complaint. */
  readonly complaints: string[];
  /** The row of a table that has this text. */
  readonly row: (table: string, text: string | RegExp) => Locator;
}

/** Opens a page and waits until its line is live and it has taken in everything. */
export async function look(
  cleanup: Cleanup,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Look> {
  const context = await browser.newContext(options);
  cleanup.defer(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(SEEN_DEADLINE_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !text.startsWith('Failed to load')) complaints.push(text);
  });
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  await page.locator('body[data-seen]').waitFor();
  // A page that was loaded anew has lost it.
  await page.evaluate('document.body.dataset.same = true');
  const row = (table: string, text: string | RegExp) =>
    page.locator(`[data-list="${table}"] tbody tr`).filter({ hasText: text });
  return { page, complaints, row };
}

/** Still the page that was opened, and nothing in it went wrong. */
export async function isSame({ page, complaints }: Look): Promise<void> {
  expect(await page.locator('body').getAttribute('data-same')).toBe('true');
  expect(complaints).toEqual([]);
}
