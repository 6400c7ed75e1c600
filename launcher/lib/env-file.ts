/**
 * The file of variables that a user gives his agents (`LAUNCHER_AGENT_ENV_FILE`), for the drivers
 * that hand it on. Its values are the agent's secrets: they are never logged.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Log } from './log.ts';

/** Names that belong to the launcher: in a file of variables they would bypass the gateway. */
const OURS = ['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'] as const;

/** The variables of a file, or in one line why there are none. */
export type Variables =
  { readonly env: Readonly<Record<string, string>> } | { readonly problem: string };
export type VariablesReader = (file: string | undefined) => Promise<Variables>;

/** Reads files of variables anew each time; says once per file which names in it do not count. */
export function variablesReader(log: Log | undefined): VariablesReader {
  const warned = new Set<string>();
  return async (file) => {
    if (file === undefined) return { env: {} };
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      return { problem: `cannot read the env file ${resolve(file)} (${why}): correct its path` };
    }
    const { env, dropped } = parseEnvFile(text);
    if (dropped.length > 0 && !warned.has(file)) {
      warned.add(file);
      log?.warn('these names in the env file belong to the launcher and are left out', {
        env_file: file,
        names: dropped.join(' '),
      });
    }
    return { env };
  };
}

/** The variables of a dotenv file's text, and which of the launcher's names it tried to set. */
export function parseEnvFile(text: string): {
  readonly env: Record<string, string>;
  readonly dropped: readonly string[];
} {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined) env[name] = value;
  }
  const dropped = OURS.filter((name) => name in env);
  for (const name of dropped) delete env[name];
  return { env, dropped };
}
