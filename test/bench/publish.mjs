/** A run put into docs/: its charts, its samples, and the tables of docs/benchmarks.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { withTables } from '../../scripts/docs-tables.mjs';
import { markdownList, markdownTables } from './table.mjs';

/** @param {string} root the repository's */
export async function publish(root, result, drawn) {
  const { rows, goals, machine, takenAt } = result;
  const images = join(root, 'docs/images/benchmarks');
  mkdirSync(images, { recursive: true });
  for (const [name, svg] of Object.entries(drawn)) writeFileSync(join(images, name), svg);
  const samples = await format(JSON.stringify(result, rounded), {
    parser: 'json',
    printWidth: 100,
  });
  writeFileSync(join(root, 'docs/benchmarks.json'), samples);
  const page = join(root, 'docs/benchmarks.md');
  const tables = {
    ...markdownTables(rows, goals),
    charts: chartLinks(drawn),
    machine: markdownList({ date: takenAt.slice(0, 10), ...machine }),
  };
  writeFileSync(page, await withTables(readFileSync(page, 'utf8'), tables));
}

/** Pictures with what each shows, in place of which those who cannot see it read the table. */
function chartLinks(drawn) {
  const links = Object.entries(drawn).map(([name, svg]) => {
    const [, title] = /<title[^>]*>([^<]*)</.exec(svg);
    return `![${title}](images/benchmarks/${name})`;
  });
  return [...links, 'Every sample stands in [benchmarks.json](benchmarks.json).'].join('\n\n');
}

/** Microseconds are noise. */
export function rounded(_key, value) {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}
