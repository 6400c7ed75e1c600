/**
 * Builds the images of an app from the folders that the CDK has put together for them, as `cdk deploy`
 * does before it uploads them: for this machine's own processor, on its base images, to stay here.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, DockerError, findBuilder, withBuildKit } from '../../scripts/docker-client.mjs';
import { caBundle } from '../../scripts/image-build.mjs';

const TAG_LENGTH = 12;

/**
 * Takes the images out of what is to be uploaded, and resolves with their names, `repository` and a
 * tag, by the CDK's hash of each.
 * @param {string} assembly
 * @param {string} repository
 * @param {Readonly<Record<string, string | undefined>>} env
 */
export async function buildStaged(assembly, repository, env) {
  /** @type {Map<string, string>} */
  const names = new Map();
  for (const name of readdirSync(assembly).filter((file) => file.endsWith('.assets.json'))) {
    const file = join(assembly, name);
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    for (const [hash, { source }] of Object.entries(manifest.dockerImages ?? {})) {
      const image = `${repository}:${hash.slice(0, TAG_LENGTH)}`;
      await build(join(assembly, source.directory), source.dockerFile ?? 'Dockerfile', image, env);
      names.set(hash, image);
    }
    writeFileSync(file, JSON.stringify({ ...manifest, dockerImages: {} }));
  }
  return names;
}

async function build(folder, dockerfile, image, env) {
  const file = join(folder, dockerfile);
  const ofPython = /^ARG BASE_IMAGE=python/m.test(readFileSync(file, 'utf8'));
  const base = ofPython ? env.PYTHON_BASE_IMAGE : env.BASE_IMAGE;
  const ca = await caBundle(env);
  const args = ['build', '--file', file, '--tag', image];
  if (base) args.push('--build-arg', `BASE_IMAGE=${base}`);
  if (ca !== null) args.push('--secret', `id=ca,src=${ca}`);
  const docker = await findBuilder(env);
  const { code, output } = await command(docker, [...args, folder], { env: withBuildKit(env) });
  if (code !== 0) throw new DockerError(`Building ${file} failed: ${output}`);
}
