/** The project's pages as tests read them: blocks with their marks, links, headings, quotes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Block {
  readonly page: string;
  /** The nearest one above it. */
  readonly heading: string;
  /** What stands behind the fence: `sh`, or nothing. `INDENTED`: there is no fence. */
  readonly language: string;
  readonly text: string;
  /** The comment that says who runs it: `run by <file>` or `needs <what>`; null: there is none. */
  readonly mark: string | null;
}

/** The language of a line that is code by its indentation: nothing can be said of it. */
export const INDENTED = 'indented';

export interface Link {
  readonly page: string;
  readonly target: string;
}

/** Paths of the pages, from the root of the repository. */
export function pages(): string[] {
  return ['.', 'docs'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
}

export function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/**
 * The blocks of a page: fenced ones, and each indented line. A mark right below a heading counts for all
 * of its section, those below it included; any other one for the next block alone.
 */
export function blocksOf(page: string, text = textOf(page)): Block[] {
  const blocks: Block[] = [];
  /** Of the sections that the line is in, by the level of their heading. */
  let sections: { readonly level: number; readonly title: string; mark: string | null }[] = [];
  let next: string | null = null;
  let afterHeading = false;
  let fence: { readonly language: string; readonly lines: string[] } | null = null;
  for (const line of text.split('\n').filter((one) => one !== '' || fence)) {
    const [, ticks, language = ''] = /^\s*(```)(\S*)/.exec(line) ?? [];
    const [, heading, title = ''] = (fence ? null : /^(#+) (.*)$/.exec(line)) ?? [];
    const mark = /^<!-- ((?:run by|needs) .+) -->$/.exec(line)?.[1] ?? null;
    const within = sections.at(-1)?.title ?? '';
    if (fence && ticks) {
      const lines = fence.lines.map((one) => `${one}\n`).join('');
      const ofSection = sections.findLast((one) => one.mark !== null)?.mark ?? null;
      const { language: told } = fence;
      blocks.push({ page, heading: within, language: told, text: lines, mark: next ?? ofSection });
      [fence, next] = [null, null];
    } else if (fence) fence.lines.push(line);
    else if (ticks) fence = { language, lines: [] };
    else if (heading) {
      sections = sections.filter(({ level }) => level < heading.length);
      sections.push({ level: heading.length, title, mark: null });
    } else if (mark && afterHeading) sections.at(-1)!.mark = mark;
    else if (mark) next = mark;
    else if (/^(?: {4}|\t)/.test(line)) {
      blocks.push({ page, heading: within, language: INDENTED, text: line, mark: null });
    }
    afterHeading = heading !== undefined;
  }
  return blocks;
}

/** Links and pictures of a page, without what stands in code. */
export function linksOf(page: string, text = textOf(page)): Link[] {
  const prose = withoutBlocks(text).replace(/`[^`]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => ({ page, target }));
}

/** The anchors that GitHub gives a page's headings. */
export function anchorsOf(page: string): Set<string> {
  const headings = [...withoutBlocks(textOf(page)).matchAll(/^#+ (.*)$/gm)];
  return new Set(
    headings.map(([, words = '']) =>
      words
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** What stands as code in the quotations (`>`) of a page. */
export function quotesOf(page: string): string[] {
  const quotations = [...textOf(page).matchAll(/^> (.*)$/gm)].map(([, words = '']) => words);
  return quotations.flatMap((words) =>
    [...words.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
  );
}

function withoutBlocks(text: string): string {
  return text.replace(/^\s*```.*?^\s*```$/gms, '');
}
