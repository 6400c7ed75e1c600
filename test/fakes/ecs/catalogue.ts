/** What an account has set up before anything runs: clusters and task definitions. */
import type {
  CapacityProviderStrategyItem,
  Cluster,
  RegisterTaskDefinitionRequest,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { clusterNotFound } from './errors.ts';

export interface ClusterOptions {
  readonly capacityProviders?: readonly string[];
  readonly defaultCapacityProviderStrategy?: readonly CapacityProviderStrategyItem[];
}

export class Catalogue {
  /** `arn:aws:ecs:<region>:<account>`. */
  readonly #arnPrefix: string;
  readonly #clusters = new Map<string, Cluster>();
  readonly #definitions: TaskDefinition[] = [];

  constructor(arnPrefix: string) {
    this.#arnPrefix = arnPrefix;
  }

  addCluster(name: string, options: ClusterOptions = {}): Cluster {
    const cluster: Cluster = {
      clusterArn: `${this.#arnPrefix}:cluster/${name}`,
      clusterName: name,
      status: 'ACTIVE',
      capacityProviders: [...(options.capacityProviders ?? [])],
      defaultCapacityProviderStrategy: [...(options.defaultCapacityProviderStrategy ?? [])],
    };
    this.#clusters.set(name, cluster);
    return cluster;
  }

  deleteCluster(name: string): void {
    this.#clusters.delete(name);
  }

  /** By short name or ARN; without one, the cluster `default`. */
  findCluster(nameOrArn = 'default'): Cluster | undefined {
    const [, name = nameOrArn] = nameOrArn.split(':cluster/');
    const cluster = this.#clusters.get(name);
    return nameOrArn === name || cluster?.clusterArn === nameOrArn ? cluster : undefined;
  }

  cluster(nameOrArn: string | undefined): Cluster {
    const cluster = this.findCluster(nameOrArn);
    if (!cluster) throw clusterNotFound();
    return cluster;
  }

  /** A new revision of its family. */
  register(request: RegisterTaskDefinitionRequest): TaskDefinition {
    const { family = '', ...rest } = request;
    const revision = this.#definitions.filter((known) => known.family === family).length + 1;
    const definition: TaskDefinition = {
      ...rest,
      family,
      revision,
      taskDefinitionArn: `${this.#arnPrefix}:task-definition/${family}:${revision}`,
      status: 'ACTIVE',
    };
    this.#definitions.push(definition);
    return definition;
  }

  /** By ARN, `family:revision`, or `family`, which means its latest revision. */
  findDefinition(name: string): TaskDefinition | undefined {
    return this.#definitions.findLast(({ taskDefinitionArn, family, revision }) =>
      [taskDefinitionArn, `${family}:${revision}`, family].includes(name),
    );
  }
}
