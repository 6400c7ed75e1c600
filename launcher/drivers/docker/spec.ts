/**
 * What a task's container is: its limits, its hardening, its name for its host. Pure.
 *
 * Nothing in it can be loosened but by the options below. The image's own user stays; a container
 * of root has no capabilities and cannot gain any.
 */
import type { ContainerCreateOptions } from 'dockerode';
import type { LaunchRequest } from '../../driver.ts';
import { labelsOf } from './labels.ts';

export interface ContainerOptions {
  /** Runs as this user instead of the image's, as `docker run --user` takes it. */
  readonly user?: string;
  /** Is the root file system read-only? By default it is. */
  readonly readOnly?: boolean;
  /** Memory file systems by path, with mount options; by default a small one at `/tmp`. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** OCI runtime by name, for example `runsc`; by default the engine's. */
  readonly runtime?: string;
  /** Processes and threads of one task, at most. */
  readonly pidsLimit?: number;
}

/** Counts as memory of the task. */
const TMPFS_DEFAULT = { '/tmp': 'rw,nosuid,nodev,noexec,size=64m,mode=1777' } as const;
const PIDS_LIMIT_DEFAULT = 1024;
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
  options: ContainerOptions,
  around: Surroundings,
): ContainerCreateOptions {
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
      PidsLimit: options.pidsLimit ?? PIDS_LIMIT_DEFAULT,
      // Forwards signals and reaps: a program as process 1 would ignore SIGTERM.
      Init: true,
      ReadonlyRootfs: options.readOnly ?? true,
      Tmpfs: { ...(options.tmpfs ?? TMPFS_DEFAULT) },
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
