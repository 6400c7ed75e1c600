/** Findings of cdk-nag that we live with: each where its cause is, with the argument. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Of a role with which ECS pulls an image. */
export const TO_PULL = 'ecr:GetAuthorizationToken knows no resource';

/** `rule` as cdk-nag prints it, `VPC7` or `IAM5[Resource::*]`. */
export function acknowledge(on: IConstruct, rule: string, reason: string): void {
  Validations.of(on).acknowledge({ id: `AwsSolutions::AwsSolutions-${rule}`, reason });
}

/** A wildcard in a resource that a role may use. cdk-nag names it as the template has it. */
export function acknowledgeWildcard(on: IConstruct, resource: string, reason: string): void {
  const raw: unknown = Stack.of(on).resolve(resource);
  acknowledge(on, `IAM5[Resource::${textOf(raw)}]`, reason);
}

function textOf(raw: unknown): string {
  if (typeof raw === 'string') return raw;
  const { Ref, 'Fn::Join': join } = raw as { Ref?: string; 'Fn::Join'?: [string, unknown[]] };
  return join ? join[1].map(textOf).join(join[0]) : `<${Ref}>`;
}
