/** The Docker engine: does it answer, is it new enough, may we ask it; and the images that tasks run. */
import Docker from 'dockerode';
import type { Profile } from '../core/desired.ts';
import { Engine } from '../drivers/docker/calls.ts';
import { addressText, connectionOf, type EngineAddress } from '../drivers/docker/connection.ts';
import { driverErrorOf, wordsOf } from '../drivers/docker/errors.ts';
import type { NetworkChoice } from '../drivers/docker/network.ts';
import type { OtherClock } from './clocks.ts';
import { type Finding, ok, type Seen, warning, wrong } from './finding.ts';

/** For each question to the engine. */
const CALL_TIMEOUT_MS = 20_000;

export interface DockerPlace {
  readonly address: EngineAddress;
  readonly network: NetworkChoice;
  readonly deployment: string;
}

/** An engine that answered. */
export interface SeenDocker extends DockerPlace {
  readonly docker: Docker;
  readonly engine: Engine;
  readonly clock: OtherClock;
}

export async function examineDocker(place: DockerPlace): Promise<Seen<SeenDocker>> {
  let where = '';
  try {
    const connection = connectionOf(place.address);
    where = addressText(connection);
    const docker = new Docker({ ...connection, timeout: CALL_TIMEOUT_MS });
    const engine = await Engine.open(connection);
    const { Version, ApiVersion } = await docker.version();
    const clock = await clockOf(docker, where);
    const text = `Docker ${Version} at ${where}, API ${ApiVersion}, ${engine.architecture}`;
    return { findings: [ok(text)], value: { ...place, docker, engine, clock } };
  } catch (error) {
    return { findings: [wrong(driverErrorOf(error, where).message)] };
  }
}

async function clockOf(docker: Docker, where: string): Promise<OtherClock> {
  const askedAtMs = Date.now();
  const { SystemTime }: { SystemTime: string } = await docker.info();
  const aheadMs = Date.parse(SystemTime) - (askedAtMs + Date.now()) / 2;
  return { name: `the Docker engine at ${where}`, aheadMs };
}

/** The images of these profiles that tasks can be run from. */
export async function examineImages(
  { docker, engine }: SeenDocker,
  profiles: readonly Profile[],
): Promise<Seen<readonly Profile[]>> {
  const byImage = new Map(profiles.map((profile) => [profile.template, profile]));
  const findings: Finding[] = [];
  const usable: Profile[] = [];
  for (const [image, profile] of byImage) {
    const found = await engine.image(image);
    if (found === null) {
      findings.push(await missing(docker, engine, image));
    } else if (found.architecture !== engine.architecture) {
      findings.push(otherArchitecture(image, found.architecture, engine.architecture));
    } else {
      usable.push(profile);
      findings.push(ok(`${image} is there, for ${found.architecture}`), ...rootOf(found, profile));
    }
  }
  return { findings, value: usable };
}

/** Asks the registry without pulling. */
async function missing(docker: Docker, engine: Engine, image: string): Promise<Finding> {
  const what = `the engine does not have image ${image}`;
  try {
    const { Platforms } = await docker.getImage(image).distribution();
    const architectures = Platforms.map(({ architecture }) => architecture);
    if (Platforms.length > 0 && !architectures.includes(engine.architecture))
      return otherArchitecture(image, architectures.join(', '), engine.architecture);
    const remedy = `\`docker pull ${image}\` spares the first room the wait`;
    return warning(`${what}; its registry does, and it is pulled when it is needed`, remedy);
  } catch (error) {
    return wrong(
      `${what} and cannot pull it: ${wordsOf(error)}`,
      'build it or pull it there, or correct the name; `docker images` lists what the engine has',
    );
  }
}

/** Also where emulation would run it: too slow for speech. */
function otherArchitecture(image: string, has: string, needs: string): Finding {
  const remedy = `build or pull it for ${needs} (\`docker build --platform linux/${needs}\`)`;
  return wrong(`image ${image} is for ${has}, the engine runs ${needs}`, remedy);
}

function rootOf({ user }: { readonly user: string }, { template, options }: Profile): Finding[] {
  const runsAs = options?.user ?? user;
  if (!['', '0', 'root'].includes(runsAs.split(':')[0] ?? '')) return [];
  return [warning(`image ${template} runs as root`, "give it a USER, or set the profile's user")];
}
