/**
 * `launch` of the process engine: look, check, name, start.
 *
 * Checks come before the name, so that a refusal leaves nothing behind; whatever fails after the
 * name leaves a task that a repeat finishes. A repeat of a task that has been claimed reads nothing
 * of the request but its key.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LaunchRequest, LaunchResult } from '../../driver.ts';
import type { VariablesReader } from '../../lib/env-file.ts';
import { lookAt, nameTask, startSupervisor } from './calls.ts';
import { invalid, refusalOf, type Refused } from './errors.ts';

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
  const { key } = request;
  const before = await lookAt(root, key);
  if (before !== null && before.reach.by !== 'nobody-yet' && before.task.key !== null) {
    return { outcome: 'accepted', task: before.task };
  }
  const variables = await parts.readVariables(request.envFile);
  if (before === null) {
    const refused =
      'env' in variables
        ? await missingTemplate(request.template)
        : invalid(variables.problem, 'never');
    if (refused !== null) return refused;
  }
  if (!('env' in variables)) return { outcome: 'unknown', detail: variables.problem };
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
