/** From the context's texts to images: one that is named, in ECR or elsewhere, or one built here. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { aws_ecr as ecr, aws_ecr_assets as assets, aws_ecs as ecs, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Context } from './context.ts';

const LAUNCHER_DOCKERFILE = 'launcher/Dockerfile';
const ECR =
  /^(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com(?:\.cn)?\/([\w/.-]+?)(?::([\w.-]+))?(?:@(sha256:\w+))?$/;
const IMAGE = /^[\w.-]+(?::\d+)?(?:\/[\w.-]+)*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/;

/** Built from the repository at `root`, where none is named. */
export function launcherImage(
  scope: Construct,
  context: Context,
  root: string,
): ecs.ContainerImage | undefined {
  if (context.has('launcherImage')) return named(scope, context, 'launcherImage');
  // `.dockerignore` keeps Dockerfiles out of images; the CDK would keep them out of what it builds.
  const exclude = [`!${LAUNCHER_DOCKERFILE}`];
  const platform = platformOf(context);
  return ecs.ContainerImage.fromAsset(root, { file: LAUNCHER_DOCKERFILE, exclude, platform });
}

export function agentImage(scope: Construct, context: Context): ecs.ContainerImage | undefined {
  const given = context.text('agentDirectory', /\S/, 'a folder with a Dockerfile');
  if (given === undefined) return named(scope, context, 'agentImage');
  if (context.has('agentImage')) {
    return context.refuse('agentDirectory', 'and agentImage are both given: keep one');
  }
  const directory = resolve(given);
  if (!existsSync(join(directory, 'Dockerfile'))) {
    const why = `is "${given}": there is no ${join(directory, 'Dockerfile')}; correct the path`;
    return context.refuse('agentDirectory', why);
  }
  return ecs.ContainerImage.fromAsset(directory, { platform: platformOf(context) });
}

export function architectureOf(context: Context): 'arm64' | 'x86_64' | undefined {
  const text = context.text('architecture', /^(?:arm64|x86_64)$/, 'arm64 or x86_64');
  return text === 'arm64' || text === 'x86_64' ? text : undefined;
}

/** One of ECR is known as such, so that tasks are allowed to pull it. */
function named(
  scope: Construct,
  context: Context,
  key: 'agentImage' | 'launcherImage',
): ecs.ContainerImage | undefined {
  const image = context.text(key, IMAGE, 'an image, as in `docker pull`');
  if (image === undefined) return undefined;
  const [, account, region, repositoryName, tag, digest] = ECR.exec(image) ?? [];
  if (repositoryName === undefined) return ecs.ContainerImage.fromRegistry(image);
  const repository = ecr.Repository.fromRepositoryAttributes(scope, `${key}Repository`, {
    repositoryName,
    repositoryArn: Stack.of(scope).formatArn({
      service: 'ecr',
      resource: 'repository',
      resourceName: repositoryName,
      ...(account && { account }),
      ...(region && { region }),
    }),
  });
  return ecs.ContainerImage.fromEcrRepository(repository, digest ?? tag ?? 'latest');
}

function platformOf(context: Context): assets.Platform {
  const { LINUX_AMD64, LINUX_ARM64 } = assets.Platform;
  return architectureOf(context) === 'x86_64' ? LINUX_AMD64 : LINUX_ARM64;
}
