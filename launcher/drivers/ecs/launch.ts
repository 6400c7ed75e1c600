/**
 * `launch` on ECS: one RunTask. The client token is the engine name of the key, so that ECS makes at
 * most one task of it, whoever asks and how often. What a repeat of a token gets:
 *
 * - the same request: the first answer, be it a task (also one that has ended) or a failure;
 * - another request: ConflictException, which names the task that holds the token.
 */
import type { RunTaskCommandOutput } from '@aws-sdk/client-ecs';
import type { LaunchRequest, LaunchResult } from '../../driver.ts';
import type { Ecs } from './calls.ts';
import { taskOf } from './convert.ts';
import { failureRefusal, isClientException, refusalOf, refused, tokenHolders } from './errors.ts';
import { choiceOf, isFargate } from './placement.ts';
import { OVERRIDES_MAX, overridesLength, type Place, runTaskInput, startedBy } from './request.ts';

/** The contract's `launch`; rejects where the contract says `unknown`. */
export async function launch(
  place: Place,
  ecs: Ecs,
  request: LaunchRequest,
  signal: AbortSignal,
): Promise<LaunchResult> {
  if (request.envFile !== undefined) {
    const detail = "ECS takes no env file: the agent's secrets are the task definition's `secrets`";
    return refused('invalid', 'never', detail);
  }
  const input = runTaskInput(place, request);
  const length = overridesLength(input);
  if (length > OVERRIDES_MAX) {
    const limit = `are ${length} characters, of which ECS takes ${OVERRIDES_MAX}`;
    const detail = `the variables of profile ${request.profile} ${limit}: shorten its env`;
    return refused('invalid', 'never', detail);
  }
  const about = aboutOf(place, request);
  try {
    const answer = await ecs.runTask(input, signal);
    const [task] = answer.tasks ?? [];
    // Of a task that has stopped since, a repeat is told no more than its name.
    if (task?.taskArn !== undefined && task.createdAt === undefined) {
      return await adopt(place, ecs, request, [task.taskArn], signal);
    }
    return outcomeOf(answer, place, request, about);
  } catch (error) {
    const holders = tokenHolders(error);
    if (holders !== null) return adopt(place, ecs, request, holders, signal);
    const refusal = refusalOf(error, about);
    if (refusal === null) throw error;
    const full = isClientException(error) && (await isProviderFull(place, ecs, request, signal));
    return full ? refused('capacity', 'next-key', refusal.detail) : refusal;
  }
}

/**
 * A capacity provider with managed scaling takes 500 waiting tasks; for one more ECS answers with the
 * same exception as for a task definition that is not there. What it is shows by a look at that one.
 */
async function isProviderFull(
  { network }: Place,
  ecs: Ecs,
  { key, template }: LaunchRequest,
  signal: AbortSignal,
): Promise<boolean> {
  const { capacityProvider } = choiceOf(key, network);
  if (isFargate({ capacityProviders: capacityProvider === null ? [] : [capacityProvider] })) {
    return false;
  }
  try {
    return (await ecs.describeTaskDefinition(template, signal))?.status === 'ACTIVE';
  } catch {
    return false; // It is not there, or may not be looked at.
  }
}

function outcomeOf(
  { tasks = [], failures = [] }: RunTaskCommandOutput,
  { deployment }: Place,
  { key }: LaunchRequest,
  about: string,
): LaunchResult {
  const [task] = tasks;
  if (task?.taskArn !== undefined) {
    return { outcome: 'accepted', task: { ...taskOf(task, deployment), key } };
  }
  if (failures.length > 0) return failureRefusal(failures, about);
  return { outcome: 'unknown', detail: `${about}: ECS names neither a task nor a failure` };
}

/** The task that an earlier request of this key made, with what were its settings then. */
async function adopt(
  { deployment }: Place,
  ecs: Ecs,
  { key }: LaunchRequest,
  holders: readonly string[],
  signal: AbortSignal,
): Promise<LaunchResult> {
  if (holders.length === 0) {
    const detail = `an earlier launch of ${key}, with other settings, brought no task`;
    return refused('invalid', 'next-key', detail);
  }
  const { tasks } = await ecs.describe(holders, signal);
  const ours = tasks.find((task) => task.startedBy === startedBy(deployment, key));
  if (ours !== undefined) return { outcome: 'accepted', task: taskOf(ours, deployment) };
  if (tasks.length > 0) {
    const detail = `the client token of ${key} is held by a task that is not ours: ${holders.join()}`;
    return refused('invalid', 'next-key', detail);
  }
  return { outcome: 'unknown', detail: `ECS does not show ${holders.join()} yet` };
}

/** What was asked for, so that a refusal can be mended by its line alone. */
function aboutOf({ cluster, network }: Place, { key, template, cpu, memoryMiB }: LaunchRequest) {
  const { subnet, capacityProvider } = choiceOf(key, network);
  const where = `subnet ${subnet} on ${capacityProvider ?? 'Fargate'}, cluster ${cluster}`;
  return `ECS runs no task of ${template} (cpu ${cpu}, ${memoryMiB} MiB) in ${where}`;
}
