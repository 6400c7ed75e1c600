/** How errors name what stands in the YAML file: by its path, and by its line where that is known. */
import { CONFIG_FILE_SETTING } from './settings.ts';

/** Keys and, in lists, positions from 0: `['profiles', 0, 'cpu']`. */
export type PathInFile = readonly (string | number)[];

/** The line, from 1, of what is at this path or, where that is missing, of what is around it. */
export type LineOf = (path: PathInFile) => number | null;

/** For example `profiles[0].cpu in line 7 of the file of LAUNCHER_CONFIG`. */
export function inFile(path: PathInFile, lineOf: LineOf | undefined): string {
  const [first = '', ...rest] = path;
  const steps = rest.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  const line = lineOf?.(path) ?? null;
  const where = line === null ? '' : `line ${line} of `;
  return `${first}${steps.join('')} in ${where}the file of ${CONFIG_FILE_SETTING}`;
}
