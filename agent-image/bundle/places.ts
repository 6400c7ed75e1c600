/**
 * Where a module is, told to its code: many find files beside them by `import.meta.url` or
 * `__dirname`, and in a bundle both would mean the bundle. The files themselves stay in the image.
 */
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** esbuild replaces these; what they become is declared by `withPlace`, file by file. */
export const PLACES = {
  'import.meta.url': '__module_url',
  'import.meta.filename': '__module_file',
  'import.meta.dirname': '__module_folder',
  'import.meta.resolve': '__module_resolve',
} as const;

const STRICT = /^(?:\s+|\/\/.*|\/\*[\s\S]*?\*\/|#!.*)*(?<directive>['"]use strict['"])/;

/**
 * The code of a file with its place declared, or null where it does not ask. `isModule`: by its name
 * and its package; what has `import.meta` is one in any case.
 */
export function withPlace(path: string, code: string, isModule: boolean): string | null {
  const file = JSON.stringify(path);
  const folder = JSON.stringify(dirname(path));
  const asModule = [
    `__module_url=${JSON.stringify(pathToFileURL(path).href)}`,
    `__module_file=${file}`,
    `__module_folder=${folder}`,
    `__module_resolve=(name)=>require("node:url").pathToFileURL(` +
      `require("node:module").createRequire(${file}).resolve(name)).href`,
  ];
  const asScript = [`__filename=${file}`, `__dirname=${folder}`];
  const asks = /\bimport\.meta\b/.test(code)
    ? asModule
    : !isModule && /\b__(?:file|dir)name\b/.test(code) && asScript;
  if (!asks) return null;
  // On the first line, so that line numbers stay; a directive counts at the very beginning alone.
  const directive = STRICT.test(code) ? '"use strict";' : '';
  return `${directive}var ${asks.join(',')};${code.replace(/^#!.*/, '')}`;
}
