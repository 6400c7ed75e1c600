/**
 * From what ECS says of a task to the task as the contract shows it. Pure.
 *
 * | lastStatus | phase |
 * |---|---|
 * | PROVISIONING, PENDING, ACTIVATING | starting; stopping once ECS wants it stopped |
 * | RUNNING | running; stopping once ECS wants it stopped |
 * | DEACTIVATING, STOPPING, DEPROVISIONING | stopping; ended once our container has exited for good |
 * | STOPPED, DELETED | ended |
 * | any other | running |
 *
 * From the program's exit to STOPPED ECS takes its network apart, for ten seconds and more: the next
 * attempt need not wait for that.
 *
 * Nothing is read from tags: StopTask deletes them. Our container is found by its name: others may
 * stand beside it (GuardDuty adds its own).
 */
import type { Container, Task } from '@aws-sdk/client-ecs';
import { type Exit, isTaskKey, type ObservedTask, type Phase, type TaskId } from '../../driver.ts';
import { AGENT_CONTAINER, startedBy } from './request.ts';

const STARTING = new Set(['PROVISIONING', 'PENDING', 'ACTIVATING']);
const STOPPING = new Set(['DEACTIVATING', 'STOPPING', 'DEPROVISIONING']);
const ENDED = new Set(['STOPPED', 'DELETED']);

/** How ECS begins a container's reason when it ran out of memory; a code, unlike what follows. */
const OUT_OF_MEMORY = 'OutOfMemoryError';

export function isOfDeployment({ startedBy: by }: Task, deployment: string): boolean {
  return by?.startsWith(startedBy(deployment, '')) === true;
}

/** Has ECS been told to stop it, or has it ended? Nothing more can be asked then. */
export function isStopping({ desiredStatus }: Task): boolean {
  return desiredStatus === 'STOPPED';
}

/** Is it over for ECS too, so that nothing of it changes any more? */
export function isStopped({ lastStatus = '' }: Task): boolean {
  return ENDED.has(lastStatus);
}

/** A task of this deployment. */
export function taskOf(seen: Task, deployment: string): ObservedTask {
  const named = seen.startedBy?.slice(startedBy(deployment, '').length) ?? '';
  const phase = phaseOf(seen);
  const createdAtMs = seen.createdAt?.getTime() ?? 0;
  const startedAtMs = seen.startedAt?.getTime();
  const endedAt = seen.executionStoppedAt ?? seen.stoppedAt ?? seen.stoppingAt;
  return {
    taskId: seen.taskArn as TaskId,
    key: isTaskKey(named) ? named : null,
    phase,
    template: templateOf(seen.taskDefinitionArn ?? ''),
    // Whether a task definition runs our runner, its profile says.
    runner: null,
    createdAtMs,
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(phase === 'ended'
      ? { endedAtMs: endedAt?.getTime() ?? createdAtMs, exit: exitOf(seen) }
      : {}),
  };
}

/** `family:revision`, as launches name it. */
function templateOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

function phaseOf(seen: Task): Phase {
  const status = seen.lastStatus ?? '';
  if (isStopped(seen)) return 'ended';
  if (STOPPING.has(status)) return hasExited(seen) ? 'ended' : 'stopping';
  if (STARTING.has(status)) return isStopping(seen) ? 'stopping' : 'starting';
  return status === 'RUNNING' && isStopping(seen) ? 'stopping' : 'running';
}

/** One that ECS does not mean to run any more is not restarted in its place either. */
function hasExited(seen: Task): boolean {
  return isStopping(seen) && agentOf(seen)?.exitCode !== undefined;
}

function agentOf({ containers }: Task): Container | undefined {
  return containers?.find(({ name }) => name === AGENT_CONTAINER);
}

/** Without an exit code of our container the task never ran, or its host is gone: lost. */
function exitOf(seen: Task): Exit {
  const agent = agentOf(seen);
  return {
    code: agent?.exitCode ?? null,
    oomKilled: agent?.reason?.startsWith(OUT_OF_MEMORY) === true,
    detail: detailOf(seen, agent),
    // StopTask's, whoever called it.
    ...(seen.stopCode === 'UserInitiated' && { stopReason: seen.stoppedReason ?? '' }),
  };
}

/** `EssentialContainerExited` is how each task ends whose program exits, and says nothing. */
function detailOf({ stopCode, stoppedReason }: Task, agent: Container | undefined): string {
  if (stopCode === 'EssentialContainerExited' && agent?.exitCode !== undefined) {
    return oneLine(agent.reason ?? '');
  }
  const texts = [stopCode, agent?.reason, stoppedReason].filter((text) => text);
  return oneLine([...new Set(texts)].join(': '));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
