/**
 * How a task gets from PROVISIONING to STOPPED, as plans of moments ("Amazon ECS task lifecycle").
 *
 *     PROVISIONING ─▶ PENDING ─▶ ACTIVATING ─▶ RUNNING
 *         ─▶ DEACTIVATING ─▶ STOPPING ─▶ DEPROVISIONING ─▶ STOPPED
 *
 * A container that exits by itself, or never ran, leads straight to DEPROVISIONING: its exit code
 * shows there, before the task is STOPPED. A stop shows first in `desiredStatus` alone, as in the
 * documented event of a Spot interruption, and goes all the way; the container gets SIGTERM as the
 * task is STOPPING, and SIGKILL after the `stopTimeout` of its definition.
 */
import type { FakeTask, Moment, TaskState } from './task.ts';

export interface Timings {
  readonly provisioningMs: number;
  /** Waiting for the agent and pulling the image. */
  readonly pendingMs: number;
  readonly activatingMs: number;
  /** From the wish that a task stop to DEACTIVATING: it is RUNNING meanwhile. */
  readonly noticeMs: number;
  readonly deactivatingMs: number;
  readonly deprovisioningMs: number;
}

/** In all about what Fargate takes, 20 to 60 seconds to the start. */
export const FARGATE_TIMINGS: Timings = {
  provisioningMs: 10_000,
  pendingMs: 12_000,
  activatingMs: 1_000,
  noticeMs: 1_000,
  deactivatingMs: 1_000,
  deprovisioningMs: 10_000,
};

/** What a container does with SIGTERM; later than the stop timeout, SIGKILL comes first. */
export interface SigtermAnswer {
  readonly afterMs: number;
  readonly exitCode: number;
}

export type Why = Required<Pick<TaskState, 'stopCode' | 'stoppedReason'>> &
  Partial<Pick<TaskState, 'tags'>>;
export type ContainerEnd = Pick<TaskState, 'exitCode' | 'containerReason'>;

const EXIT_SIGKILL = 137;
/** "If the parameter isn't specified, then the default value of 30 seconds is used." */
const STOP_TIMEOUT_DEFAULT_SECONDS = 30;

/** The rest of a start that begins at `nowMs` with PROVISIONING. */
export function startPlan(nowMs: number, timings: Timings): Moment[] {
  const pendingAtMs = nowMs + timings.provisioningMs;
  const activatingAtMs = pendingAtMs + timings.pendingMs;
  const runningAtMs = activatingAtMs + timings.activatingMs;
  return [
    { atMs: pendingAtMs, change: { lastStatus: 'PENDING', pullStartedAtMs: pendingAtMs } },
    {
      atMs: activatingAtMs,
      change: {
        lastStatus: 'ACTIVATING',
        containerStatus: 'RUNNING',
        pullStoppedAtMs: activatingAtMs,
      },
    },
    { atMs: runningAtMs, change: { lastStatus: 'RUNNING', startedAtMs: runningAtMs } },
  ];
}

/** The containers end now. `why` is left out where it stands already. */
export function exitPlan(nowMs: number, timings: Timings, end: ContainerEnd, why?: Why): Moment[] {
  const stoppedAtMs = nowMs + timings.deprovisioningMs;
  const change: Partial<TaskState> = {
    lastStatus: 'DEPROVISIONING',
    desiredStatus: 'STOPPED',
    containerStatus: 'STOPPED',
    executionStoppedAtMs: nowMs,
    ...(why && { ...why, stoppingAtMs: nowMs }),
    ...end,
  };
  return [
    { atMs: nowMs, change },
    { atMs: stoppedAtMs, change: { lastStatus: 'STOPPED', stoppedAtMs } },
  ];
}

/** A running task is stopped from outside. */
export function stopPlan(
  task: FakeTask,
  nowMs: number,
  timings: Timings,
  why: Why,
  sigterm: SigtermAnswer,
): Moment[] {
  const stopTimeoutMs = (task.mainContainer.stopTimeout ?? STOP_TIMEOUT_DEFAULT_SECONDS) * 1000;
  const deactivatingAtMs = nowMs + timings.noticeMs;
  const sigtermAtMs = deactivatingAtMs + timings.deactivatingMs;
  const killed = sigterm.afterMs > stopTimeoutMs;
  const exitAtMs = sigtermAtMs + (killed ? stopTimeoutMs : sigterm.afterMs);
  const exitCode = killed ? EXIT_SIGKILL : sigterm.exitCode;
  return [
    { atMs: nowMs, change: { desiredStatus: 'STOPPED', ...why } },
    { atMs: deactivatingAtMs, change: { lastStatus: 'DEACTIVATING' } },
    { atMs: sigtermAtMs, change: { lastStatus: 'STOPPING', stoppingAtMs: sigtermAtMs } },
    ...exitPlan(exitAtMs, timings, { exitCode }),
  ];
}
