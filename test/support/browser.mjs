/** Headless Chromium with a profile of its own that goes with it, for looking at the dashboard. */
import process from 'node:process';
import { chromium } from 'playwright-core';
import { findChromium } from '../chromium.mjs';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-lcd-text',
];

/** @returns {Promise<import('playwright-core').Browser>} */
export async function startBrowser() {
  const executablePath = await findChromium({ env: process.env, say: console.error });
  return chromium.launch({ executablePath, args: ARGS });
}
