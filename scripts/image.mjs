/**
 * `npm run image`: the runner's image; `npm run image -- launcher`: the launcher's own; `-- python`
 * and `-- javascript`: ordinary agents, which our runner is no part of.
 */
import process from 'node:process';
import { DockerError } from './docker-client.mjs';
import { buildImage, IMAGES } from './image-build.mjs';

const say = (line) => process.stderr.write(`${line}\n`);
const [name = 'agent', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(IMAGES, name) || rest.length > 0) {
  say(`Name one image to build: ${Object.keys(IMAGES).join(' or ')}.`);
  process.exit(1);
}
try {
  say(`built ${await buildImage(name, { env: process.env, say })}`);
} catch (error) {
  if (!(error instanceof DockerError)) throw error;
  if (error.output) say(error.output);
  say(error.message);
  process.exitCode = 1;
}
