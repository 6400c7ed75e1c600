/**
 * What a task's container is: its limits, its hardening, its name for its host. Pure.
 *
 * Nothing in it can be loosened but by the request's options. The image's own user stays; a
 * container of root has no capabilities and cannot gain any.
 */
import type { ContainerCreateOptions } from 'dockerode';
import type { LaunchRequest } from '../../driver.ts';
import { labelsOf } from './labels.ts';

/** Counts as memory of the task. An option for the same path replaces it. */
const TMPFS_DEFAULT = { '/tmp': 'rw,nosuid,nodev,noexec,size=64m,mode=1777' } as const;
/** Processes and threads of one task, at most. */
const PIDS_LIMIT = 1024;
const LOG_FILE_SIZE_MAX = '10m';
const LOG_FILES_MAX = '3';
/** How a container on a bridge calls the machine that it runs on. */
export const HOST_ALIAS = 'host.docker.internal';

export interface Surroundings {
  readonly deployment: string;
  /** Network's id or name. */
  readonly network: string;
  /** Reached from a bridge, the host needs a name. */
  readonly hostAlias: boolean;
  /** The engine's log driver: one that somebody chose, instead of the usual files, is left alone. */
  readonly logDriver: string;
  /** The agent's own variables; the request's win. */
  readonly variables: Readonly<Record<string, string>>;
}

export function containerSpec(
  request: LaunchRequest,
  around: Surroundings,
): ContainerCreateOptions {
  const { options = {} } = request;
  const memory = request.memoryMiB * 1024 * 1024;
  const env = { ...around.variables, ...request.env };
  return {
    Image: request.template,
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: labelsOf(around.deployment, request.key, request.profile),
    StopSignal: 'SIGTERM',
    ...(options.user === undefined ? {} : { User: options.user }),
    HostConfig: {
      NetworkMode: around.network,
      ...(around.hostAlias ? { ExtraHosts: [`${HOST_ALIAS}:host-gateway`] } : {}),
      NanoCpus: Math.round(request.cpu * 1e9),
      Memory: memory,
      // The same: no swap on top.
      MemorySwap: memory,
      PidsLimit: PIDS_LIMIT,
      // Forwards signals and reaps: a program as process 1 would ignore SIGTERM.
      Init: true,
      ReadonlyRootfs: options.readOnly ?? true,
      Tmpfs: { ...TMPFS_DEFAULT, ...options.tmpfs },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ...(options.runtime === undefined ? {} : { Runtime: options.runtime }),
      // An end is evidence, and what follows it is the planner's decision.
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      ...(around.logDriver === 'json-file' ? { LogConfig: rotated() } : {}),
    },
  };
}

function rotated() {
  const Config = { 'max-size': LOG_FILE_SIZE_MAX, 'max-file': LOG_FILES_MAX };
  return { Type: 'json-file', Config };
}
