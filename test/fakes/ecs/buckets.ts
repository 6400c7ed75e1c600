/**
 * Throttling as the service does it: token buckets per account and Region.
 *
 * Sizes are those of "Request throttling for the Amazon ECS API" and "AWS Fargate throttling
 * quotas". An empty bucket answers ThrottlingException; nothing is carried out then.
 */
import { rateExceeded } from './errors.ts';

export interface Rate {
  /** Most tokens that the bucket holds. */
  readonly burst: number;
  /** Tokens that flow back. */
  readonly perSecond: number;
}

export interface Rates {
  /** RunTask and StopTask together. */
  readonly clusterResourceModify: Rate;
  /** DescribeTasks and ListTasks together. */
  readonly clusterResourceRead: Rate;
  readonly clusterRead: Rate;
  readonly taskDefinitionRead: Rate;
  /** Tasks, not calls; on demand and Spot each have a bucket of this size. */
  readonly fargateLaunch: Rate;
  /** RunTask calls that launch on Fargate. */
  readonly fargateRunTask: Rate;
}

export const AWS_RATES: Rates = {
  clusterResourceModify: { burst: 100, perSecond: 40 },
  clusterResourceRead: { burst: 100, perSecond: 20 },
  clusterRead: { burst: 50, perSecond: 20 },
  taskDefinitionRead: { burst: 100, perSecond: 20 },
  fargateLaunch: { burst: 100, perSecond: 20 },
  fargateRunTask: { burst: 20, perSecond: 20 },
};

export type BucketName = Exclude<keyof Rates, 'fargateLaunch'> | 'fargate' | 'fargateSpot';

interface Bucket {
  readonly rate: Rate;
  tokens: number;
  atMs: number;
}

export class Buckets {
  readonly #buckets: Readonly<Record<BucketName, Bucket>>;

  constructor(rates: Rates, nowMs: number) {
    const full = (rate: Rate): Bucket => ({ rate, tokens: rate.burst, atMs: nowMs });
    this.#buckets = {
      clusterResourceModify: full(rates.clusterResourceModify),
      clusterResourceRead: full(rates.clusterResourceRead),
      clusterRead: full(rates.clusterRead),
      taskDefinitionRead: full(rates.taskDefinitionRead),
      fargateRunTask: full(rates.fargateRunTask),
      fargate: full(rates.fargateLaunch),
      fargateSpot: full(rates.fargateLaunch),
    };
  }

  /** Takes `count` tokens, or none and throws. */
  take(name: BucketName, nowMs: number, count = 1): void {
    const bucket = this.#buckets[name];
    const { burst, perSecond } = bucket.rate;
    const flowed = (Math.max(nowMs - bucket.atMs, 0) / 1000) * perSecond;
    bucket.tokens = Math.min(burst, bucket.tokens + flowed);
    bucket.atMs = nowMs;
    if (bucket.tokens < count) throw rateExceeded();
    bucket.tokens -= count;
  }
}
