/**
 * Where settings come from: the environment, the YAML file beneath it, and the files that `…_FILE`
 * settings name. All become one text per setting; what nobody knows is an error, because a mistyped
 * name would otherwise be a default that works until it matters.
 */
import { resolve } from 'node:path';
import { adviceOn, closest } from './closest.ts';
import { inFile, type LineOf } from './place.ts';
import { CONFIG_FILE_SETTING, fileKeyOf, INJECTED, PROFILES_KEY, SETTINGS } from './settings.ts';

export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The parsed YAML file; undefined without one. */
  readonly file: unknown;
  /** Where in it something stands, if that is known. */
  readonly lineOf?: LineOf;
  /** Relative paths are taken from here. */
  readonly baseDir: string;
  /** Text of a file; throws when it cannot be read. */
  readonly readSecretFile: (path: string) => string;
}

export interface GivenValue {
  /** Null when it is given but unusable, which is among the errors already. */
  readonly text: string | null;
  /** How an error names it: `LAUNCHER_RETRIES`, or `retries in the file of LAUNCHER_CONFIG`. */
  readonly label: string;
}

/** Given values by the setting's name in the environment; each error is one line. */
export interface Given {
  readonly values: ReadonlyMap<string, GivenValue>;
  readonly errors: readonly string[];
}

/** Values and errors while they are gathered. */
interface Gathering {
  readonly values: Map<string, GivenValue>;
  readonly errors: string[];
}

const ALL_SETTINGS = 'room-launcher serve --help lists all settings';
const ALL = Object.values(SETTINGS);
const SECRETS = ALL.filter((setting) => setting.secret).map((setting) => setting.name);
const FROM_FILES = SECRETS.map((name) => `${name}_FILE`);
const KNOWN = [...ALL.map((setting) => setting.name), ...FROM_FILES];
const NAME_BY_FILE_KEY = new Map(KNOWN.map((name) => [fileKeyOf(name), name]));

/** Brings all sources together; the environment wins. */
export function gather(sources: Sources): Given {
  const fromEnv = readSecrets(fromEnvironment(sources.env), sources);
  const fromFile = readSecrets(fromYaml(sources), sources, fromEnv.values);
  return {
    values: new Map([...fromFile.values, ...fromEnv.values]),
    errors: [...fromEnv.errors, ...fromFile.errors],
  };
}

function fromEnvironment(env: Sources['env']): Gathering {
  const found: Gathering = { values: new Map(), errors: [] };
  for (const [name, text] of Object.entries(env)) {
    if (!text || name === CONFIG_FILE_SETTING) continue;
    if (KNOWN.includes(name)) found.values.set(name, { text, label: name });
    else if (name.startsWith('LAUNCHER_') && !INJECTED.test(name)) {
      found.errors.push(...unknownVariable(name));
    }
  }
  return found;
}

function unknownVariable(name: string): string[] {
  const stripped = name.replace(/^LAUNCHER_/, '');
  const meant = KNOWN.includes(stripped) ? stripped : closest(name, KNOWN);
  return [`${name} is no setting of this version; ${adviceOn(meant, ALL_SETTINGS)}`];
}

function fromYaml({ file, lineOf }: Sources): Gathering {
  const found: Gathering = { values: new Map(), errors: [] };
  if (file === undefined || file === null) return found;
  if (typeof file !== 'object' || Array.isArray(file)) {
    found.errors.push(`the file of ${CONFIG_FILE_SETTING} must hold keys and values`);
    return found;
  }
  for (const [key, value] of Object.entries(file)) {
    if (key !== PROFILES_KEY) readKey(key, value, inFile([key], lineOf), found);
  }
  return found;
}

function readKey(key: string, value: unknown, label: string, found: Gathering): void {
  const name = NAME_BY_FILE_KEY.get(key);
  const scalar =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (name === undefined) {
    const meant = closest(key, [...NAME_BY_FILE_KEY.keys(), PROFILES_KEY]);
    found.errors.push(`${label} is no setting of this version; ${adviceOn(meant, ALL_SETTINGS)}`);
  } else if (scalar) {
    if (value !== '') found.values.set(name, { text: String(value), label });
  } else if (value !== null) {
    found.errors.push(`${label} must be one text or number, not a list or a group of keys`);
  }
}

/** Replaces each `…_FILE` by the secret in that file. `winning` values make it unneeded. */
function readSecrets(
  found: Gathering,
  sources: Sources,
  winning: ReadonlyMap<string, GivenValue> = new Map(),
): Gathering {
  for (const name of SECRETS) {
    const from = found.values.get(`${name}_FILE`);
    found.values.delete(`${name}_FILE`);
    const direct = found.values.get(name);
    if (!from || winning.has(name)) continue;
    if (direct) found.errors.push(`${direct.label} and ${from.label} are both given; keep one`);
    else readSecret(name, from, sources, found);
  }
  return found;
}

function readSecret(name: string, from: GivenValue, sources: Sources, found: Gathering): void {
  const path = from.text ?? '';
  let text: string | null = null;
  try {
    text = sources.readSecretFile(resolve(sources.baseDir, path)).replace(/[\r\n]+$/, '') || null;
    if (text === null) found.errors.push(`${from.label} is "${path}": the file is empty`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    const advice = 'check the path and its permissions';
    found.errors.push(`${from.label} is "${path}": the file cannot be read${code}; ${advice}`);
  }
  found.values.set(name, { text, label: from.label });
}
