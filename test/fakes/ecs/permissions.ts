/** IAM, as far as a doctor has to tell what is missing: actions that are denied, by name. */
import type { RunTaskRequest, TaskDefinition } from '@aws-sdk/client-ecs';
import { accessDenied } from './errors.ts';

export class Permissions {
  /** Such as `ecs:RunTask` or `iam:PassRole`. */
  readonly denied = new Set<string>();
  readonly #principal: string;

  constructor(accountId: string) {
    this.#principal = `arn:aws:sts::${accountId}:assumed-role/room-launcher/session`;
  }

  check(action: string, resource: string): void {
    if (this.denied.has(action)) throw accessDenied(this.#principal, action, resource);
  }

  /** RunTask needs more than its own action: its roles passed on, its tags set. */
  checkRunTask(input: RunTaskRequest, definition: TaskDefinition, tasksArn: string): void {
    this.check('ecs:RunTask', definition.taskDefinitionArn ?? '');
    if (input.tags?.length) this.check('ecs:TagResource', tasksArn);
    for (const role of [definition.executionRoleArn, definition.taskRoleArn]) {
      if (role !== undefined) this.check('iam:PassRole', role);
    }
  }
}
