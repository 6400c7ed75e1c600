/**
 * One deployment with all that is real: a LiveKit server, a launcher on the Docker engine, our
 * runner's containers on the host network, a crowd of rooms, whoever watches them, and a container
 * of somebody else's that looks a lot like ours.
 */
import type { Env } from '../../launcher/dev/command.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { type DockerBed, startDockerBed } from '../support/docker-bed.ts';
import { docker, removeContainer, type TestImage } from '../support/docker-engine.ts';
import type { TestLauncher } from '../support/launcher.ts';
import { Crowd } from './crowd.ts';
import { Lives } from './lives.ts';
import type { Random } from './random.ts';
import { Story } from './story.ts';
import { Witness } from './witness.ts';

export interface World extends DockerBed {
  /** All that ever were, the first one being `launcher`. */
  readonly launchers: TestLauncher[];
  readonly crowd: Crowd;
  readonly lives: Lives;
  readonly witness: Witness;
  readonly story: Story;
  /** Sids whose runs the operator ended: they must have no agent. */
  readonly stopped: Set<string>;
  /** What is not ours and is not as it was. */
  touched(): Promise<string[]>;
}

export interface WorldOptions {
  readonly random: Random;
  /** Something to run in the stranger's container. */
  readonly bystander: TestImage;
  readonly image?: string;
  readonly env?: Env;
  /** Where LiveKit's webhooks go instead of straight to the launcher. */
  readonly webhookUrls?: readonly string[];
}

/** Starts one; it is gone with `cleanup`. */
export async function startWorld(cleanup: Cleanup, options: WorldOptions): Promise<World> {
  const { random, bystander, ...bedOptions } = options;
  const bed = await startDockerBed(cleanup, { ...bedOptions, network: 'host' });
  const { deployment, rooms, launcher } = bed;
  const touched = await startBystander(cleanup, bystander, deployment);
  const lives = cleanup.use(await Lives.watch(deployment));
  const witness = cleanup.use(new Witness(rooms, lives));
  const crowd = new Crowd(rooms, random);
  const story = new Story();
  const stopped = new Set<string>();
  return { ...bed, launchers: [launcher], crowd, lives, witness, story, stopped, touched };
}

/** A container of a deployment whose name begins like ours, of a room that no list shows. */
async function startBystander(cleanup: Cleanup, image: TestImage, deployment: string) {
  await image.ready();
  const theirs = `${deployment}-2`.slice(0, 24);
  const key = 'r-RM_longover-1';
  const { id } = await docker.createContainer({
    name: `${theirs}.${key}`,
    Image: image.name,
    Labels: { 'room-launcher.deployment': theirs, 'room-launcher.key': key },
  });
  cleanup.defer(() => removeContainer(id));
  const look = async () => {
    const { Id, Name, State } = await docker.getContainer(id).inspect();
    return [Id, Name, State.Status, State.StartedAt].join(' ');
  };
  await docker.getContainer(id).start();
  const before = await look();
  return async () => {
    const now = await look().catch(() => 'gone');
    return now === before ? [] : [`somebody else's container: ${before}, now ${now}`];
  };
}

/** SIGKILL of a launcher, noted for those who look for what it could not tell. */
export async function killLauncher(
  { story }: Pick<World, 'story'>,
  launcher: TestLauncher,
): Promise<void> {
  story.killed();
  await launcher.end('SIGKILL');
}
