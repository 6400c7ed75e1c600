/**
 * `launch` of the process engine: look, check, name, start.
 *
 * Checks come before the name, so that a refusal leaves nothing behind; whatever fails after the
 * name leaves a task that a repeat finishes. A repeat of a task that has been claimed reads nothing
 * of the request but its key.
 */
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LaunchRequest, LaunchResult } from '../../driver.ts';
import type { Log } from '../../lib/log.ts';
import { lookAt, nameTask, startSupervisor } from './calls.ts';
import { parseEnvFile } from './environment.ts';
import { codeOf, invalid, refusalOf, type Refused } from './errors.ts';

/** The variables of a file, or why a task that needs them cannot be launched. */
type VariablesReader = (
  file: string,
) => Promise<{ readonly env: Readonly<Record<string, string>> } | Refused>;

export interface LaunchParts {
  readonly root: string;
  readonly command: (template: string) => readonly string[];
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly supervisorFile: string;
  readonly readVariables: VariablesReader;
}

/** The contract's `launch`; rejects where the contract says `unknown`. */
export async function launch(parts: LaunchParts, request: LaunchRequest): Promise<LaunchResult> {
  const { root } = parts;
  const { key, envFile } = request;
  const before = await lookAt(root, key);
  if (before !== null && before.reach.by !== 'nobody-yet' && before.task.key !== null) {
    return { outcome: 'accepted', task: before.task };
  }
  const variables = envFile === undefined ? { env: {} } : await parts.readVariables(envFile);
  if (before === null) {
    const refused = 'env' in variables ? await missingTemplate(request.template) : variables;
    if (refused !== null) return refused;
  }
  if (!('env' in variables)) return { outcome: 'unknown', detail: variables.detail };
  try {
    if (before === null) await nameTask(root, key, request.template);
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    return refused;
  }
  const seen = await lookAt(root, key);
  if (seen === null) return { outcome: 'unknown', detail: 'the task was removed meanwhile' };
  if (seen.task.key === null) {
    return invalid(`${join(root, key)} is taken by something that is no task`, 'next-key');
  }
  if (seen.reach.by === 'nobody-yet') {
    const env = { ...parts.baseEnv, ...variables.env, ...request.env };
    const command = parts.command(resolve(seen.task.template));
    await startSupervisor(parts.supervisorFile, join(root, key), { command, env }, parts.baseEnv);
  }
  return { outcome: 'accepted', task: seen.task };
}

async function missingTemplate(template: string): Promise<Refused | null> {
  const found = await stat(template).catch(() => null);
  if (found?.isFile() === true) return null;
  const path = resolve(template);
  return invalid(`agent file ${path} is not there or no file: correct its path`, 'never');
}

/** Reads files of variables; says once per file which names in it do not count. */
export function variablesReader(log: Log | undefined): VariablesReader {
  const warned = new Set<string>();
  return async (file) => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      const why = codeOf(error);
      const path = resolve(file);
      return invalid(`cannot read the env file ${path} (${why}): correct its path`, 'never');
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
