/**
 * Reads the YAML file that LAUNCHER_CONFIG names. It may hold secrets, so an error says where the
 * file is wrong by line and column and never quotes it, as the parser's own messages do.
 */
import { parse, YAMLParseError } from 'yaml';
import { CONFIG_FILE_SETTING } from './settings.ts';

export type YamlFile = { readonly content: unknown } | { readonly error: string };

/** `path` is only named; `readText` gives the file's text and throws when it cannot be read. */
export function readYamlFile(path: string, readText: (path: string) => string): YamlFile {
  const refuse = (why: string) => ({ error: `${CONFIG_FILE_SETTING} is "${path}": ${why}` });
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return refuse(`the file cannot be read${code}; check the path and its permissions`);
  }
  try {
    return { content: parse(text, { logLevel: 'error' }) };
  } catch (error) {
    return refuse(`the file is not YAML${placeOf(error)}; correct it there`);
  }
}

function placeOf(error: unknown): string {
  if (!(error instanceof YAMLParseError)) return ', for an alias in it cannot be resolved';
  const [start] = error.linePos ?? [];
  const place = start ? ` at line ${start.line}, column ${start.col}` : '';
  return `${place} (${error.code})`;
}
