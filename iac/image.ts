/** What both images have in common: the machine that they are for, and that they are pinned. */
import { Annotations, aws_ecs as ecs } from 'aws-cdk-lib';
import type { AgentProps } from './props.ts';

const MOVING = /^(?:[^@]*:latest|(?:[^/]*\/)*[^/:@]+)$/;

export function platformOf({ architecture = 'arm64' }: AgentProps): ecs.RuntimePlatform {
  const { ARM64, X86_64 } = ecs.CpuArchitecture;
  return {
    cpuArchitecture: architecture === 'arm64' ? ARM64 : X86_64,
    operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
  };
}

/** A tag that moves changes under a stack that does not: nobody can tell what runs. */
export function warnOfMovingTag(prop: string, container: ecs.ContainerDefinition): void {
  const { imageName } = container;
  // What is built here is tagged by its content, which is not known yet.
  if (/^\$\{Token\[[^/]*$/.test(imageName) || !MOVING.test(imageName)) return;
  Annotations.of(container).addWarningV2(
    'room-launcher:moving-tag',
    `${prop} is ${shown(imageName)}: what it names may change between one task and the next, and a ` +
      'deployment would not notice. Name a tag that is never reused, or a digest.',
  );
}

/** ECR's domain is a token until all is deployed. */
function shown(imageName: string): string {
  return imageName.replace(/\$\{Token\[AWS\.URLSuffix[^\]]*\]\}/, 'amazonaws.com');
}
