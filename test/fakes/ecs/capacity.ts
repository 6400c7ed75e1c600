/**
 * What there is to place tasks on. Want of it is no error: RunTask answers 200 with `failures[]`.
 *
 * A test takes capacity away by subnet (on Fargate a subnet is a zone), by capacity provider, or
 * everywhere, and says which reason is given ("Amazon ECS API failure reasons").
 */
import type { CapacityProviderStrategyItem } from '@aws-sdk/client-ecs';

export const NO_FARGATE_CAPACITY =
  'Capacity is unavailable at this time. Please try again later or in a different availability zone';
/** As a service event says it; that RunTask says the same stands in callers' code, in no document. */
export const VCPU_QUOTA =
  'You’ve reached the limit on the number of vCPUs you can run concurrently';

export interface Place {
  readonly subnet?: string;
  readonly capacityProvider?: string;
}

export class Capacity {
  /** Reason by the place that has none: `subnet …`, `provider …`, `everywhere`. */
  readonly #exhausted = new Map<string, string>();
  readonly #next: string[] = [];
  /** vCPUs that may run on Fargate at once; an account starts with 6. */
  vcpuQuota = Infinity;

  /** No task finds room at this place (everywhere, if none is named) until `restore`. */
  exhaust(place: Place = {}, reason = NO_FARGATE_CAPACITY): void {
    this.#exhausted.set(nameOf(place), reason);
  }

  restore(place: Place = {}): void {
    this.#exhausted.delete(nameOf(place));
  }

  /** The next `times` tasks are not placed, wherever. */
  failNext(reason = NO_FARGATE_CAPACITY, times = 1): void {
    this.#next.push(...Array.from({ length: times }, () => reason));
  }

  /** The subnet that a task gets, of those that it may have; or why it gets none. */
  place(provider: string | undefined, subnets: readonly string[]): Place | { reason: string } {
    const scripted = this.#next.shift() ?? this.#exhausted.get('everywhere');
    const ofProvider = this.#exhausted.get(nameOf({ capacityProvider: provider ?? '' }));
    const reasons = subnets.map((subnet) => this.#exhausted.get(nameOf({ subnet })));
    const free = reasons.indexOf(undefined);
    const reason = scripted ?? ofProvider ?? (subnets.length > 0 && free < 0 ? reasons[0] : null);
    if (reason) return { reason };
    const subnet = subnets[free];
    return subnet === undefined ? {} : { subnet };
  }
}

/**
 * The capacity provider of the n-th task of a request: the base first, then by weight. The service
 * falls back to no other when one has no capacity.
 */
export function providerOf(
  strategy: readonly CapacityProviderStrategyItem[],
  n: number,
): string | undefined {
  const base = strategy.find((item) => (item.base ?? 0) > n);
  if (base) return base.capacityProvider;
  const weights = strategy.map((item) => item.weight ?? 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return strategy[0]?.capacityProvider;
  let left = n % total;
  const heaviest = strategy.toSorted((a, b) => (b.weight ?? 0) - (a.weight ?? 0));
  return heaviest.find((item) => (left -= item.weight ?? 0) < 0)?.capacityProvider;
}

function nameOf({ subnet, capacityProvider }: Place): string {
  if (subnet !== undefined) return `subnet ${subnet}`;
  return capacityProvider === undefined ? 'everywhere' : `provider ${capacityProvider}`;
}
