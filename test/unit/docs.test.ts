/** Holds the pages to what they speak of: settings, files, headings, messages, and who runs a command. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationTables, settingsHelp } from '../../launcher/config/reference.ts';
import { SETTINGS } from '../../launcher/config/settings.ts';
import { withTables } from '../../scripts/docs-tables.mjs';
import {
  anchorsOf,
  type Block,
  blocksOf,
  INDENTED,
  type Link,
  linksOf,
  pages,
  quotesOf,
  ROOT,
  textOf,
} from '../support/markdown.ts';

/** What a block needs that no test has. */
const NEEDS = ['an account', 'a LiveKit server of yours', 'a machine elsewhere'];
/** How a test runs a block: `docCommand(page, heading, part)`, or by a function of its own above it. */
const RUN = /\b(?:docCommand|does|block)\(((?:[\w\s,]|'[^'\n]*'|"[^"\n]*")*)\)/g;

const all = pages();

describe('settings', () => {
  it('stand in docs/configuration.md as they are (npm run docs writes them)', async () => {
    const page = textOf('docs/configuration.md');
    expect(await withTables(page, configurationTables())).toBe(page);
  });

  it('are all in the help of serve, in lines for a terminal', () => {
    const lines = settingsHelp().split('\n');
    for (const { name } of Object.values(SETTINGS)) expect(lines).toContain(`  ${name}`);
    expect(lines.filter((line) => line.length > 80 || line.includes('`'))).toEqual([]);
  });
});

describe('links', () => {
  it('lead to files and headings that are there', () => {
    expect(all).toContain('docs/README.md');
    expect(all.flatMap((page) => linksOf(page)).flatMap(deadOf)).toEqual([]);
  });

  it('lead from the index to each page', () => {
    const linked = linksOf('docs/README.md').map(({ target }) => target.split('#')[0]);
    const own = all.filter((page) => dirname(page) === 'docs' && page !== 'docs/README.md');
    expect(own.filter((page) => !linked.includes(page.slice('docs/'.length)))).toEqual([]);
  });

  it('are told to be dead', () => {
    const text = '[a](nowhere.md) [b](configuration.md#no-heading) [c](#settings) `[d](e.md)`';
    const links = linksOf('docs/configuration.md', text);
    expect(links.flatMap(deadOf)).toHaveLength(2);
  });
});

describe('commands', () => {
  const blocks = all.flatMap((page) => blocksOf(page)).filter(isShell);

  it('are run by the test that their mark names, or need what no test has', () => {
    expect(blocks.length).toBeGreaterThan(10);
    expect(blocks.flatMap(complaintAbout)).toEqual([]);
  });

  it.each([
    ['without a mark', '```sh\nnpm run demo\n```'],
    ['of a test that is not there', '<!-- run by test/none.test.ts -->\n```sh\nnpm run demo\n```'],
    ['that needs anything else', '<!-- needs patience -->\n```sh\nnpm run demo\n```'],
    ['that its test does not run', '<!-- run by .ci/run -->\n```sh\nnpm run other\n```'],
    ['that is a part of a word', '<!-- run by .ci/run -->\n```sh\nnpm run dem\n```'],
    ['in the section after its mark', '# A\n<!-- run by .ci/run -->\n# B\n```sh\nnpm test\n```'],
    ['without a fence', '<!-- run by .ci/run -->\n\n    npm test'],
  ])('are told apart: one %s', (_title, text) => {
    expect(blocksOf('README.md', text).flatMap(complaintAbout)).toHaveLength(1);
  });

  it.each([
    ['runs', 'docs/docker.md', 'Start it', 'npm run image', 0],
    ['names, and does not run', 'docs/docker.md', 'Start it', 'curl room-launcher.default', 1],
    ['runs below another heading', 'docs/docker.md', 'Remove all of it', 'npm run image', 1],
    ['runs of another page', 'docs/http.md', 'Start it', 'npm run image', 1],
    ['knows no heading of', 'docs/docker.md', 'Elsewhere', 'npm run image', 1],
  ])('are told apart: one that its test %s', (_title, page, heading, command, complaints) => {
    const mark = '<!-- run by test/integration/docs-docker.test.ts -->';
    const text = `# ${heading}\n\n${mark}\n\n\`\`\`sh\n${command}\n\`\`\``;
    expect(blocksOf(page, text).flatMap(complaintAbout)).toHaveLength(complaints);
  });

  it('count for a section, or for one block', () => {
    const block = '```sh\nnpm test\n```\n';
    const section = `# A\n\n<!-- run by .ci/run -->\n\n## B\n\n${block}\n${block}`;
    expect(blocksOf('README.md', section).flatMap(complaintAbout)).toEqual([]);
    const single = `# A\n\nSo:\n\n<!-- run by .ci/run -->\n\n${block}\n${block}`;
    expect(blocksOf('README.md', single).flatMap(complaintAbout)).toHaveLength(1);
  });
});

describe('messages', () => {
  const words = sourceWords();

  it('that docs/troubleshooting.md quotes are those of the sources', () => {
    const quotes = quotesOf('docs/troubleshooting.md');
    expect(quotes.length).toBeGreaterThan(10);
    const unknown = quotes.filter(
      (quote) => !fragmentsOf(quote).every((one) => words.includes(one)),
    );
    expect(unknown).toEqual([]);
  });
});

function deadOf({ page, target }: Link): string[] {
  if (/^[a-z]+:/.test(target)) return [];
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page : join(dirname(page), file);
  const known = existsSync(join(ROOT, path));
  const found = known && (anchor === undefined || anchorsOf(path).has(anchor));
  return found ? [] : [`${page}: ${target}`];
}

function isShell({ language }: Block): boolean {
  return ['sh', 'bash', 'shell', 'console', INDENTED].includes(language);
}

/** None: the block is run by what its mark names, or cannot be run. */
function complaintAbout(block: Block): string[] {
  const { page, language, text, mark } = block;
  const where = `${page}: ${text.split('\n', 1)[0]}`;
  if (language === INDENTED) return [`${where}: fence it, so that it can have a mark`];
  const [, by] = /^run by (\S+)$/.exec(mark ?? '') ?? [];
  if (by === undefined) {
    const needs = /^needs (.+)$/.exec(mark ?? '')?.[1] ?? '';
    return NEEDS.includes(needs) ? [] : [`${where}: who runs it, or what does it need?`];
  }
  if (!existsSync(join(ROOT, by))) return [`${where}: there is no ${by}`];
  const isRun = by.endsWith('.ts') ? isRunByTest : isRunByScript;
  return isRun(withSupport(by), block) ? [] : [`${where}: ${by} does not run it`];
}

/** The text of what runs a block, with that of its own helpers. */
function withSupport(path: string): string {
  const text = textOf(path);
  const helpers = [...text.matchAll(/from '(\.\.\/support\/[^']+)'/g)];
  return [text, ...helpers.map(([, from = '']) => textOf(join(dirname(path), from)))].join('\n');
}

/** A script has each line of the block, maybe with further arguments. */
function isRunByScript(runner: string, { text }: Block): boolean {
  const lines = runner.split('\n').map((line) => line.trim());
  const commands = text.split('\n').map((line) => line.replace(/(?:^|\s+)#.*$/, '').trim());
  return commands
    .filter((command) => command !== '')
    .every((command) => lines.some((line) => `${line} `.startsWith(`${command} `)));
}

/**
 * A test names the page and the heading, and runs a block by a part that this one has; where the call
 * itself has a heading, or a page, they are this block's.
 */
function isRunByTest(runner: string, { page, heading, text }: Block): boolean {
  const named = textsIn(runner);
  if (!named.includes(heading) || !named.some((one) => join('docs', one) === page)) return false;
  return [...runner.matchAll(RUN)].some(([, words = '']) => {
    const [part, below = heading, of = relative('docs', page)] = textsIn(words).toReversed();
    const isHere = below === heading && join('docs', of) === page;
    return part !== undefined && isHere && text.includes(part);
  });
}

function textsIn(source: string): string[] {
  return [...source.matchAll(/(['"`])((?:(?!\1).)*)\1/g)].map(([, , text = '']) => text);
}

/** What a message says between the parts that differ, and before and after a colon. */
function fragmentsOf(quote: string): string[] {
  return quote
    .split(/…|: /)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** All texts of the sources; those that stand in several lines put together. */
function sourceWords(): string {
  const files = ['launcher', 'agent-image'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
  return files
    .map((file) => readFileSync(join(ROOT, file), 'utf8').replace(/['"`] \+\s+['"`]/g, ''))
    .join('\n');
}
