/**
 * The commands of a page of docs/, so that a test runs what a user is told to, to the letter. A page
 * is cut at its headings; a shell block is one that says `sh`.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../../docs/', import.meta.url);

/** The shell blocks below this heading (its text, of any level) up to the next one, in order. */
export async function docCommands(page: string, heading: string): Promise<string[]> {
  const text = await readFile(fileURLToPath(new URL(page, FOLDER)), 'utf8');
  const sections = text.split(/^(?=#+ )/m);
  const section = sections.find((one) => /^#+ (.*)$/m.exec(one)?.[1] === heading);
  if (section === undefined) throw new Error(`docs/${page} has no heading "${heading}"`);
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
}

/** The one block below this heading that contains `part`. */
export async function docCommand(page: string, heading: string, part: string): Promise<string> {
  const found = (await docCommands(page, heading)).filter((block) => block.includes(part));
  const [block] = found;
  if (block === undefined || found.length > 1) {
    throw new Error(`docs/${page}, "${heading}": ${found.length} blocks contain "${part}"`);
  }
  return block;
}
