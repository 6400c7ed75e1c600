/** All checks: which of them need what others saw, and how long each may take. */
import type { CheckedConfig, Config } from '../config.ts';
import { gatewayUrlOf } from '../config.ts';
import type { Profile } from '../core/desired.ts';
import type { EngineAddress } from '../drivers/docker/connection.ts';
import type { NetworkChoice } from '../drivers/docker/network.ts';
import { unlessAborted } from '../lib/abort.ts';
import type { Board } from './board.ts';
import { examineClocks } from './clocks.ts';
import { examineDocker, examineImages, type SeenDocker } from './docker.ts';
import { type AskEcs, examineEcsEngine } from './ecs.ts';
import { ok, without } from './finding.ts';
import { LIMITS_MS, LIVEKIT_TIMEOUT_MS } from './limits.ts';
import { examineLiveKit, type SeenLiveKit } from './livekit.ts';
import { examineNetwork } from './network.ts';
import { examinePorts, type Ports } from './ports.ts';
import { probe } from './probing.ts';
import { examineRooms } from './rooms.ts';
import { examineStandbys } from './standbys.ts';
import { containerPlace, processPlace, type TasksPlace } from './tasks-place.ts';

export interface Question {
  readonly engine: Exclude<CheckedConfig, { errors: unknown }>;
  /** Null: the engine alone is asked. */
  readonly config: Config | null;
  /** Null: no probe room is made. */
  readonly probe: { readonly name: string | undefined; readonly metadata: string } | null;
  readonly docker: { readonly address: EngineAddress; readonly network: NetworkChoice };
  readonly askEcs: AskEcs;
}

/** Makes every check; what was found is on the board. */
export async function examine(board: Board, question: Question): Promise<void> {
  const { config } = question;
  const docker = examineEngine(board, question);
  const launched = question.engine.profiles.list.filter((profile) => profile.launch !== false);
  const images = docker.then((seen) => imagesOf(board, question, seen, launched));
  if (config === null) return void (await images);
  const options = { ...config.livekit, requestTimeoutMs: LIVEKIT_TIMEOUT_MS };
  const ports = board.look('ports', LIMITS_MS.ports, (signal) => examinePorts(config, signal));
  const livekit = board.look('livekit', LIMITS_MS.livekit, (signal) =>
    examineLiveKit(options, signal),
  );
  const clocks = docker.then((seen) =>
    board.look('clocks', LIMITS_MS.clocks, (signal) =>
      examineClocks(config.livekit.url, seen?.clock ?? null, signal),
    ),
  );
  const rooms = livekit.then((seen) =>
    seen === undefined
      ? board.skip('rooms', without('livekit'))
      : board.look('rooms', LIMITS_MS.rooms, (signal) =>
          examineRooms(seen, config.profiles, signal),
        ),
  );
  const standbys = ports.then((seen) => standbysOf(board, launched, seen));
  const network = Promise.all([ports, docker, images, livekit]).then((seen) =>
    networkOf(board, {
      config,
      ports: seen[0],
      docker: seen[1],
      usable: seen[2] ?? [],
      livekit: seen[3],
    }),
  );
  // The probe takes the machine's time, and listens where others look: it comes last.
  await Promise.all([clocks, rooms, standbys]);
  const place = await network;
  await probe(board, { question, config, ports: await ports, livekit: await livekit, place });
}

async function examineEngine(board: Board, question: Question): Promise<SeenDocker | undefined> {
  const { engine, deployment, profiles } = question.engine;
  if (engine.driver === 'process') {
    const text = 'tasks are processes of this machine: no engine, no isolation, no images';
    await board.look('engine', LIMITS_MS.engine, async () => ({ findings: [ok(text)] }));
    return undefined;
  }
  if (engine.driver === 'ecs') {
    await board.look('engine', LIMITS_MS.engine, (signal) =>
      examineEcsEngine(engine, deployment, profiles, question.askEcs, signal),
    );
    return undefined;
  }
  const place = { ...question.docker, deployment };
  return board.look('engine', LIMITS_MS.engine, (signal) =>
    unlessAborted(signal, () => examineDocker(place)),
  );
}

async function imagesOf(
  board: Board,
  { engine: { engine } }: Question,
  docker: SeenDocker | undefined,
  launched: readonly Profile[],
): Promise<readonly Profile[] | undefined> {
  if (engine.driver === 'process') return undefined;
  if (engine.driver === 'ecs') {
    const remedy = 'the first task says whether its image can be pulled: see `docs/aws.md`';
    return board.skip('images', 'ECS pulls them itself, by its own rights', remedy);
  }
  if (docker === undefined) return board.skip('images', without('engine'));
  return board.look('images', LIMITS_MS.images, (signal) =>
    unlessAborted(signal, () => examineImages(docker, launched)),
  );
}

async function standbysOf(
  board: Board,
  launched: readonly Profile[],
  ports: Ports | undefined,
): Promise<void> {
  const wanting = launched.filter(({ standby = 0 }) => standby > 0);
  if (wanting.length === 0) {
    await board.look('standbys', LIMITS_MS.standbys, async () => ({
      findings: [ok('no profile wants any')],
    }));
    return;
  }
  const launcher = ports?.launcher ?? null;
  if (launcher === null) {
    return board.skip('standbys', 'no launcher runs here that would start them');
  }
  await board.look('standbys', LIMITS_MS.standbys, (signal) =>
    examineStandbys(launcher, wanting, signal),
  );
}

interface NetworkParts {
  readonly config: Config;
  readonly ports: Ports | undefined;
  readonly docker: SeenDocker | undefined;
  /** Profiles whose images containers can be made of. */
  readonly usable: readonly Profile[];
  readonly livekit: SeenLiveKit | undefined;
}

async function networkOf(board: Board, parts: NetworkParts): Promise<TasksPlace | undefined> {
  const { config, ports, docker, usable, livekit } = parts;
  const { driver } = config.engine;
  if (driver === 'ecs') {
    return board.skip(
      'network',
      'it takes a task of ECS: a launcher that runs makes one for --probe',
    );
  }
  if (driver === 'docker' && docker === undefined) return board.skip('network', without('engine'));
  if (driver === 'docker' && usable.length === 0) return board.skip('network', without('images'));
  if (ports === undefined) return board.skip('network', without('ports'));
  const places =
    docker === undefined
      ? [processPlace()]
      : usable.map((profile) => containerPlace(docker, profile));
  const { gatewayListen, gatewayUrl, gatewaySecrets, deployment, taskLivekitUrl } = config;
  return board.look('network', LIMITS_MS.network, (signal) =>
    examineNetwork(
      {
        places,
        ports,
        gatewayListen,
        gatewayUrl: gatewayUrlOf(config, gatewayListen.port),
        gatewayIsGiven: gatewayUrl !== null,
        gatewaySecret: gatewaySecrets[0],
        deployment,
        taskLivekitUrl,
        livekitIsWell: livekit !== undefined,
      },
      signal,
    ),
  );
}
