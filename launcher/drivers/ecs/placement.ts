/**
 * Where a task is put. A choice is one subnet on one capacity provider; a refusal for want of
 * capacity is answered with the next attempt, which takes the next choice: all subnets on the first
 * provider, then on the second, and so on (Spot first, on-demand last), then from the start.
 *
 * It follows from the key alone, because a repeat of a key must ask for the very same.
 */
import type { TaskKey } from '../../driver.ts';
import { assert } from '../../lib/assert.ts';

export interface Network {
  /** In order of preference, one or more; one per availability zone. */
  readonly subnets: readonly [string, ...string[]];
  /** None: the VPC's default group. */
  readonly securityGroups: readonly string[];
  /** A task in a public subnet needs one to reach anything. */
  readonly assignPublicIp: boolean;
  /** In order of preference. None: Fargate, on-demand. */
  readonly capacityProviders: readonly string[];
}

/** Do all tasks run on Fargate? */
export function isFargate({ capacityProviders }: Pick<Network, 'capacityProviders'>): boolean {
  return capacityProviders.every((name) => name === 'FARGATE' || name === 'FARGATE_SPOT');
}

export interface Choice {
  readonly subnet: string;
  /** Null: Fargate as the launch type, which needs no capacity provider in the cluster. */
  readonly capacityProvider: string | null;
}

export function choiceOf(key: TaskKey, { subnets, capacityProviders }: Network): Choice {
  const providers = capacityProviders.length === 0 ? [null] : capacityProviders;
  const choices = providers.flatMap((capacityProvider) =>
    subnets.map((subnet) => ({ subnet, capacityProvider })),
  );
  // A number of 0 is no attempt's, but may be a standby's.
  const choice = choices[(numberOf(key) + choices.length - 1) % choices.length];
  assert(choice !== undefined, 'a place to put tasks has one subnet or more');
  return choice;
}

/** A room's attempt, from 1; a standby's number is random, and so is its place. */
function numberOf(key: TaskKey): number {
  return Number(key.slice(key.lastIndexOf('-') + 1));
}
