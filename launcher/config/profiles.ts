/**
 * The list `profiles` of the YAML file. Errors name each key by its path and line, and show no value
 * of `env` or `metadata`: the first are public by contract, and yet people put secrets there.
 */
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { Profile, TaskLimits } from '../core/desired.ts';
import { adviceOn, closest } from './closest.ts';
import { type EngineRead, type EngineSources, unreadableFile } from './engine.ts';
import { inFile, type PathInFile } from './place.ts';
import { complaintsAbout } from './profile-checks.ts';
import { KNOWN_KEYS, profileSchema } from './profile-fields.ts';
import { type Size, toProfile } from './profile-values.ts';
import { show } from './reader.ts';
import { PROFILES_KEY } from './settings.ts';
import type { Sources } from './sources.ts';

export type ProfileSources = Pick<Sources, 'file' | 'lineOf'> & EngineSources;

/** Adds an error about what stands at a path of the file. */
type Refuse = (path: PathInFile, why: string) => void;

/** Has the file a list of profiles that is not empty? */
export function hasProfiles({ file }: Pick<Sources, 'file'>): boolean {
  const list = listIn(file);
  return list !== undefined && !(Array.isArray(list) && list.length === 0);
}

/** The profiles of the file in their order, as far as they can be read. Appends what is wrong. */
export function readProfiles(
  sources: ProfileSources,
  engine: EngineRead,
  otherwise: TaskLimits & Size,
  errors: string[],
): Profile[] {
  const refuse: Refuse = (path, why) => {
    errors.push(`${inFile(path, sources.lineOf)}${why}`);
  };
  const list = listIn(sources.file);
  if (list === undefined) return [];
  if (!Array.isArray(list)) {
    refuse([PROFILES_KEY], ' must be a list of profiles');
    return [];
  }
  const names = new Map<string, number>();
  return list.flatMap((raw: unknown, index) => {
    const path = [PROFILES_KEY, index];
    const read = profileSchema.safeParse(raw);
    if (!read.success) {
      for (const issue of read.error.issues) explain(issue, raw, path, refuse);
      return [];
    }
    refuseName(read.data.name, index, names, engine, refuse);
    for (const { path: key, why } of complaintsAbout(
      read.data,
      engine.known ? engine.engine : null,
      otherwise,
    )) {
      refuse([...path, ...key], `: ${why}`);
    }
    return [
      toProfile(read.data, otherwise, (key, file) => readFile(key, file, path, sources, refuse)),
    ];
  });
}

/** Undefined without one; a file that is no group of keys is refused elsewhere. */
function listIn(file: unknown): unknown {
  if (typeof file !== 'object' || file === null || Array.isArray(file)) return undefined;
  return new Map<string, unknown>(Object.entries(file)).get(PROFILES_KEY) ?? undefined;
}

/** One line for what the schema found, or one for each unknown key. */
function explain(issue: z.core.$ZodIssue, raw: unknown, path: PathInFile, refuse: Refuse): void {
  const inside = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const at = [...path, ...inside];
  if (issue.code === 'unrecognized_keys') {
    const known = KNOWN_KEYS.get(inside.join('.')) ?? [];
    for (const key of issue.keys) refuse([...at, key], unknownKey(key, known));
    return;
  }
  const value = inside.reduce<unknown>(memberOf, raw);
  if (value === undefined) {
    refuse(path, ` has no ${inside.join('.')}: give it one, ${issue.message}`);
    return;
  }
  const hidden = inside[0] === 'env' || inside[1] === 'metadata';
  refuse(at, `${hidden ? '' : shownValue(value)} must be ${issue.message}`);
}

function shownValue(value: unknown): string {
  if (value === null) return ' is empty, but';
  const scalar =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return scalar ? ` is ${show(String(value))}, but` : '';
}

function unknownKey(key: string, known: readonly string[]): string {
  const all = `known keys are ${known.join(', ')}`;
  return ` is no key of a profile; ${adviceOn(closest(key, known), all)}`;
}

function memberOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(String(step));
}

function refuseName(
  name: string,
  index: number,
  names: Map<string, number>,
  { template }: EngineRead,
  refuse: Refuse,
): void {
  const path = [PROFILES_KEY, index, 'name'];
  const earlier = names.get(name);
  if (earlier !== undefined) {
    const other = `${PROFILES_KEY}[${earlier}]`;
    refuse(path, ` is "${name}", as ${other} is called too; give each a name of its own`);
  } else if (name === 'default' && template !== undefined) {
    const why = "the environment's own profile is called that too; rename this, or remove that";
    refuse(path, ` is "${name}": ${why}`);
  } else names.set(name, index);
}

/** Absolute; a file that is missing now would otherwise only show as rooms without agents. */
function readFile(
  key: string,
  given: string,
  path: PathInFile,
  { baseDir, isReadableFile }: ProfileSources,
  refuse: Refuse,
): string {
  const file = resolve(baseDir, given);
  if (!isReadableFile(file)) refuse([...path, key], ` is ${show(given)}: ${unreadableFile(file)}`);
  return file;
}
