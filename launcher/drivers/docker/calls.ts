/**
 * What the engine can be asked, one request each. Answers that say "there is none" are values here;
 * every other failure is the client library's own error, told apart in `errors.ts`.
 */
import Docker from 'dockerode';
import { DriverError, type LogsOptions, type TaskId } from '../../driver.ts';
import { addressText, type Connection } from './connection.ts';
import type { Inspection } from './convert.ts';
import { statusOf } from './errors.ts';
import { LABELS } from './labels.ts';
import type { Stats } from './usage.ts';
import type { Frames } from './output.ts';

/** The API of engine 20.10: the first with a name for the host on bridges, and all we need. */
const API_WANTED = '1.41';
/** For the first two questions to an engine. */
const OPEN_TIMEOUT_MS = 60_000;

export interface Image {
  readonly user: string;
  readonly architecture: string;
}

/** A container as a list shows it. */
export interface Row {
  readonly id: string;
  readonly names: readonly string[];
  /** As `Inspection` has it. */
  readonly state: string;
  /** For people: since when, and with which exit code. */
  readonly status: string;
}

/** An engine that was asked who it is. */
export class Engine {
  readonly #docker: Docker;
  readonly logDriver: string;
  /** By Go's name, as images have it. */
  readonly architecture: string;

  private constructor(docker: Docker, logDriver: string, architecture: string) {
    this.#docker = docker;
    this.logDriver = logDriver;
    this.architecture = architecture;
  }

  /** Rejects with `DriverError` `invalid` for an engine that is too old. */
  static async open(connection: Connection): Promise<Engine> {
    const asking = new Docker({ ...connection, timeout: OPEN_TIMEOUT_MS });
    const about = await asking.version();
    const version = apiVersion(about);
    if (version === null) {
      const place = `the Docker engine at ${addressText(connection)}`;
      const message = `${place} speaks API ${about.ApiVersion}, ${API_WANTED} is needed (20.10)`;
      throw new DriverError('invalid', message);
    }
    const docker = new Docker({ ...connection, version: `v${version}` });
    const { LoggingDriver }: { LoggingDriver: string } = await asking.info();
    return new Engine(docker, LoggingDriver, about.Arch);
  }

  /** By id or by name; null when there is none. */
  inspect(idOrName: string, abortSignal: AbortSignal): Promise<Inspection | null> {
    return orNull([404], this.#docker.getContainer(idOrName).inspect({ abortSignal }));
  }

  /** All containers of a deployment, whatever their state. */
  async rows(deployment: string, abortSignal: AbortSignal): Promise<readonly Row[]> {
    const filters = { label: [`${LABELS.deployment}=${deployment}`] };
    const rows = await this.#docker.listContainers({ all: true, filters, abortSignal });
    return rows.map(({ Id, Names, State, Status }) => {
      return { id: Id, names: Names, state: State, status: Status };
    });
  }

  /** Ids of those containers of a deployment that run. */
  async runningIds(deployment: string, abortSignal: AbortSignal): Promise<readonly string[]> {
    const filters = { label: [`${LABELS.deployment}=${deployment}`], status: ['running'] };
    const rows = await this.#docker.listContainers({ filters, abortSignal });
    return rows.map(({ Id }) => Id);
  }

  /** The new container's id; null when the name is taken. */
  async create(
    name: string,
    spec: Docker.ContainerCreateOptions,
    abortSignal: AbortSignal,
  ): Promise<string | null> {
    // In a body of its own: otherwise the library repeats it all, secrets too, in the URL.
    const parts = { _query: { name }, _body: spec, abortSignal };
    const created = await orNull([409], this.#docker.createContainer(parts));
    return created?.id ?? null;
  }

  /** Resolves when it runs, also if it ran already. */
  async start(id: string, abortSignal: AbortSignal): Promise<void> {
    await orNull([304], this.#docker.getContainer(id).start({ abortSignal }));
  }

  /**
   * SIGTERM, SIGKILL after `seconds`; resolves at the container's end, with false when there was
   * nothing to stop. The engine goes on with it when we go away (tried on 20.10; of later ones
   * 23.0.0 to 23.0.6 and 24.0.0 to 24.0.2 send SIGKILL at once then: moby 45731).
   */
  async stop(id: string, seconds: number, abortSignal: AbortSignal): Promise<boolean> {
    const call = this.#docker.getContainer(id).stop({ t: seconds, abortSignal });
    return (
      (await orNull(
        [304, 404],
        call.then(() => true),
      )) ?? false
    );
  }

  /** What it uses now, without the second that the engine would wait for a rate; null: no such one. */
  stats(id: string, abortSignal: AbortSignal): Promise<Stats | null> {
    const how = { stream: false, 'one-shot': true, abortSignal } as const;
    return orNull([404, 409], this.#docker.getContainer(id).stats(how));
  }

  /** SIGKILL; false when there was nothing to kill. */
  async kill(id: string, abortSignal: AbortSignal): Promise<boolean> {
    const call = this.#docker.getContainer(id).kill({ signal: 'SIGKILL', abortSignal });
    return (
      (await orNull(
        [404, 409],
        call.then(() => true),
      )) ?? false
    );
  }

  /** Removes what does not run, with its own volumes; false for what runs or is being removed. */
  async remove(id: string, abortSignal: AbortSignal): Promise<boolean> {
    const call = this.#docker.getContainer(id).remove({ v: true, force: false, abortSignal });
    const done = orNull([404], call).then(() => true);
    return (await orNull([409], done)) ?? false;
  }

  /**
   * The container's output, framed as `output.ts` reads it; null when there is no such container.
   * Always as a stream, which the library's own call without `follow` is not.
   */
  logs(id: string, options: LogsOptions, abortSignal: AbortSignal): Promise<Frames | null> {
    const request = {
      path: `/containers/${id}/logs?`,
      method: 'GET',
      options: { stdout: true, stderr: true, ...options },
      isStream: true,
      statusCodes: { 200: true },
      abortSignal,
    };
    const answer = new Promise<Frames>((resolve, reject) => {
      this.#docker.modem.dial(request, (error, frames) => {
        if (error) reject(error);
        else resolve(frames as Frames);
      });
    });
    return orNull([404], answer);
  }

  /** Null when the engine does not have it. */
  async image(reference: string): Promise<Image | null> {
    const seen = await orNull([404], this.#docker.getImage(reference).inspect());
    return seen && { user: seen.Config.User ?? '', architecture: seen.Architecture };
  }

  /** Lines of progress, as JSON texts in pieces, until the pull is over. */
  pull(reference: string, abortSignal: AbortSignal): Promise<AsyncIterable<unknown>> {
    return this.#docker.pull(reference, { abortSignal });
  }

  /** Ids of networks that bear the deployment's label. */
  async networks(deployment: string, abortSignal: AbortSignal): Promise<readonly string[]> {
    const filters = { label: [`${LABELS.deployment}=${deployment}`] };
    const rows = await this.#docker.listNetworks({ filters, abortSignal });
    return rows.map(({ Id }) => Id);
  }

  /** The driver of a network by name or id (`bridge`, `host`, …); null when there is none. */
  async networkDriver(name: string): Promise<string | null> {
    const seen = await orNull([404], this.#docker.getNetwork(name).inspect());
    return seen && seen.Driver;
  }

  /** False when the name is taken. */
  async createNetwork(
    options: Docker.NetworkCreateOptions,
    abortSignal: AbortSignal,
  ): Promise<boolean> {
    const call = this.#docker.createNetwork({ ...options, CheckDuplicate: true, abortSignal });
    return (await orNull([409], call)) !== null;
  }

  async removeNetwork(id: string, abortSignal: AbortSignal): Promise<void> {
    await orNull([404], this.#docker.getNetwork(id).remove({ abortSignal }));
  }

  /** What happens to a deployment's containers, as it happens. */
  events(deployment: string, abortSignal: AbortSignal): Promise<AsyncIterable<unknown>> {
    const filters: Docker.GetEventsOptions['filters'] = {
      type: ['container'],
      label: [`${LABELS.deployment}=${deployment}`],
      event: ['create', 'start', 'die', 'oom', 'destroy'],
    };
    return this.#docker.getEvents({ filters, abortSignal });
  }
}

/** The version to speak with an engine: ours, or the oldest that a newer engine still takes. */
export function apiVersion(about: {
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
}): string | null {
  if (minor(about.ApiVersion) < minor(API_WANTED)) return null;
  return minor(about.MinAPIVersion) > minor(API_WANTED) ? about.MinAPIVersion : API_WANTED;
}

/** Whether a text has the form of a container's id: names and paths are none. */
export function isContainerId(id: TaskId): boolean {
  return /^[0-9a-f]{64}$/.test(id);
}

function minor(version: string): number {
  return Number(version.split('.')[1]);
}

/** Null for an answer with one of these statuses. */
async function orNull<T>(statuses: readonly number[], call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    const status = statusOf(error);
    if (status !== null && statuses.includes(status)) return null;
    throw error;
  }
}
