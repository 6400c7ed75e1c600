/**
 * Whether the cluster and the task definitions are what launches will need, as far as ECS lets the
 * launcher look: said at its start and by the doctor, before a room has to wait for it.
 */
import type { Cluster, ContainerDefinition, TaskDefinition } from '@aws-sdk/client-ecs';
import { unlessAborted } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { Ecs, type SdkOptions } from './calls.ts';
import { Lister } from './list.ts';
import { isFargate, type Network } from './placement.ts';
import { AGENT_CONTAINER, type Place } from './request.ts';

/** `wrong`: launches will be refused, or tasks fail. `unseen`: nothing is known. One line each. */
export interface Finding {
  readonly level: 'wrong' | 'unseen';
  readonly text: string;
}

export interface ExamineOptions extends Place {
  readonly clock: Clock;
  readonly sdk?: SdkOptions;
}

/** What the launcher gives each task: in a task definition they would open the real server. */
const OURS = new Set(['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET']);

/** Rejects with `DriverError` when ECS does not answer. */
export async function examine(
  ecs: Ecs,
  network: Network,
  templates: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings = [
    await found(ecs, `cluster ${ecs.cluster}`, async () =>
      clusterFaults(await ecs.describeCluster(signal), ecs, network),
    ),
  ];
  for (const template of templates) {
    const look = async () =>
      definitionFaults(template, await ecs.describeTaskDefinition(template, signal), network);
    findings.push(await found(ecs, `task definition ${template}`, look));
  }
  return findings.flat();
}

/** No cluster has it: asking for it tells only whether one may ask. */
const NO_TASK = '0'.repeat(32);

/**
 * For the doctor: also whether tasks may be listed, described and stopped. Neither launches nor
 * stops anything. Rejects with `DriverError`.
 */
export async function examineEcs(
  { deployment, cluster, network, clock, sdk = {} }: ExamineOptions,
  templates: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const ecs = await Ecs.open(cluster, clock, sdk);
  try {
    return await unlessAborted(signal, async () => {
      const findings = await examine(ecs, network, templates, signal);
      const unlistable = await unlisted(ecs, deployment, findings, signal);
      const others = await refusedRights(ecs, unlistable.length === 0, signal);
      return [...findings, ...unlistable, ...others];
    });
  } catch (error) {
    throw ecs.errorOf(error);
  } finally {
    ecs.close();
  }
}

/** Why tasks may not be listed; a cluster that is not there has been said already. */
async function unlisted(
  ecs: Ecs,
  deployment: string,
  said: readonly Finding[],
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  try {
    await new Lister(ecs, deployment).list(signal);
    return [];
  } catch (error) {
    const { kind, message } = ecs.errorOf(error);
    const known = kind === 'invalid' && said.some(({ level }) => level === 'wrong');
    return known ? [] : [{ level: 'wrong', text: message }];
  }
}

/** Rights that a launcher needs later; whether it may launch shows only a launch. */
async function refusedRights(
  ecs: Ecs,
  lists: boolean,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const tries = [
    // Whoever may not list has been told; a list describes, where there are tasks.
    ...(lists ? [() => ecs.describe([NO_TASK], signal)] : []),
    () => ecs.stopTask(NO_TASK, 'a look at rights', signal),
  ];
  const findings: Finding[] = [];
  for (const attempt of tries) {
    try {
      await attempt();
    } catch (error) {
      const { kind, message } = ecs.errorOf(error);
      if (kind === 'denied') findings.push({ level: 'wrong', text: message });
    }
  }
  return findings;
}

/** What may not be looked at may be right all the same. */
async function found(
  ecs: Ecs,
  what: string,
  look: () => Promise<readonly string[]>,
): Promise<readonly Finding[]> {
  try {
    return (await look()).map((text) => ({ level: 'wrong', text }));
  } catch (error) {
    const known = ecs.errorOf(error);
    if (known.kind === 'denied') return [{ level: 'unseen', text: `${what}: ${known.message}` }];
    if (known.kind === 'invalid') return [{ level: 'wrong', text: `${what}: ${known.message}` }];
    throw known;
  }
}

export function clusterFaults(
  cluster: Cluster | null,
  where: Pick<Ecs, 'cluster' | 'region'>,
  { capacityProviders }: Network,
): readonly string[] {
  const name = `cluster ${where.cluster}`;
  if (cluster?.status !== 'ACTIVE') {
    return [
      `there is no active ECS ${name} in ${where.region}: ` +
        'correct LAUNCHER_ECS_CLUSTER, or AWS_REGION',
    ];
  }
  const { capacityProviders: has = [] } = cluster;
  return capacityProviders
    .filter((wanted) => !has.includes(wanted))
    .map(
      (wanted) =>
        `${name} has no capacity provider ${wanted} (it has ${has.join(', ') || 'none'}): ` +
        'associate it with the cluster, or correct LAUNCHER_ECS_CAPACITY_PROVIDERS',
    );
}

export function definitionFaults(
  template: string,
  definition: TaskDefinition | null,
  network: Network,
): readonly string[] {
  if (definition === null) return [`there is no task definition ${template}: register it`];
  const { status, networkMode, containerDefinitions = [] } = definition;
  const { compatibilities = definition.requiresCompatibilities ?? [] } = definition;
  const agent = containerDefinitions.find(({ name }) => name === AGENT_CONTAINER);
  const names = containerDefinitions.map(({ name }) => name).join(', ');
  const faults = [
    status !== 'ACTIVE' && `is ${status}: name an active revision`,
    networkMode !== 'awsvpc' && `has networkMode ${networkMode ?? 'bridge'}: it must be awsvpc`,
    isFargate(network) &&
      !compatibilities.includes('FARGATE') &&
      'does not fit Fargate: register it with requiresCompatibilities FARGATE',
    !agent && `has no container named ${AGENT_CONTAINER} (it has ${names}): name the agent's so`,
    ...(agent ? agentFaults(agent) : []),
  ];
  return faults
    .filter((fault) => fault !== false)
    .map((fault) => `task definition ${template} ${fault}`);
}

function agentFaults({
  essential,
  restartPolicy,
  secrets = [],
  environment = [],
}: ContainerDefinition) {
  const ours = [...secrets, ...environment].flatMap(({ name = '' }) =>
    OURS.has(name) ? [name] : [],
  );
  const container = `container ${AGENT_CONTAINER}`;
  return [
    essential === false && `has a ${container} that is not essential: tasks would not end with it`,
    restartPolicy?.enabled === true &&
      `has a restart policy on its ${container}: remove it, restarts are the launcher's`,
    ours.length > 0 &&
      `gives its ${container} ${ours.join(', ')}: remove them, the launcher sets them for each task`,
  ];
}
