/**
 * Reads the YAML file that LAUNCHER_CONFIG names. It may hold secrets, so an error says where the
 * file is wrong by line and column and never quotes it, as the parser's own messages do.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { LineOf, PathInFile } from './place.ts';
import { CONFIG_FILE_SETTING } from './settings.ts';

export type YamlFile =
  { readonly content: unknown; readonly lineOf: LineOf } | { readonly error: string };

type Document = ReturnType<typeof parseDocument>;

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
  const lines = new LineCounter();
  const document = parseDocument(text, { logLevel: 'error', lineCounter: lines });
  const [wrong] = document.errors;
  if (wrong) {
    const [start] = wrong.linePos ?? [];
    const place = start ? ` at line ${start.line}, column ${start.col}` : '';
    return refuse(`the file is not YAML${place} (${wrong.code}); correct it there`);
  }
  try {
    const lineOf: LineOf = (wanted) => lineIn(document, lines, wanted);
    return { content: document.toJS(), lineOf };
  } catch {
    return refuse('the file is not YAML, for an alias in it cannot be resolved; correct it there');
  }
}

/** Follows the path as far as it goes, through aliases too. */
function lineIn(document: Document, lines: LineCounter, path: PathInFile): number | null {
  let offset: number | undefined;
  let node: unknown = document.contents;
  for (const step of path) {
    const next = childOf(node, step);
    if (next === null) break;
    offset = next.offset ?? offset;
    node = isAlias(next.node) ? next.node.resolve(document) : next.node;
  }
  return offset === undefined ? null : lines.linePos(offset).line;
}

/** Where a key or an item stands, and what it holds. */
function childOf(
  node: unknown,
  step: string | number,
): { readonly node: unknown; readonly offset: number | undefined } | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return pair ? { node: pair.value, offset: offsetOf(pair.key as Node) } : null;
  }
  if (!isSeq(node)) return null;
  const item = node.items[Number(step)];
  return item === undefined ? null : { node: item, offset: offsetOf(item as Node) };
}

function offsetOf({ range }: Node): number | undefined {
  return range?.[0];
}
