/**
 * Throttling as the service does it: token buckets per account and Region, filled up each second.
 *
 * Sizes are those of "Request throttling for the Amazon ECS API"
 * (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html) and "AWS Fargate
 * throttling quotas" (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html). An
 * empty bucket answers ThrottlingException; nothing is carried out then.
 */
import { rateExceeded } from './errors.ts';

export interface Rate {
  /** Most tokens that the bucket holds. */
  readonly burst: number;
  /** Tokens that are added each second. */
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
  taskDefinitionRead: { burst: 50, perSecond: 20 },
  fargateLaunch: { burst: 100, perSecond: 20 },
  fargateRunTask: { burst: 20, perSecond: 20 },
};

export type BucketName = Exclude<keyof Rates, 'fargateLaunch'> | 'fargate' | 'fargateSpot';

interface Bucket {
  readonly rate: Rate;
  tokens: number;
  /** When tokens were last added. */
  filledAtMs: number;
}

export class Buckets {
  readonly #buckets: Readonly<Record<BucketName, Bucket>>;

  constructor(rates: Rates, nowMs: number) {
    const full = (rate: Rate): Bucket => ({ rate, tokens: rate.burst, filledAtMs: nowMs });
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
    const seconds = Math.max(Math.floor((nowMs - bucket.filledAtMs) / 1000), 0);
    bucket.tokens = Math.min(burst, bucket.tokens + seconds * perSecond);
    bucket.filledAtMs += seconds * 1000;
    if (bucket.tokens < count) throw rateExceeded();
    bucket.tokens -= count;
  }
}
