/** Amazon ECS: the cluster, the task definitions, and the rights that can be asked about. */
import type { EngineConfig } from '../config.ts';
import type { Profiles } from '../core/desired.ts';
import { systemClock } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';
import { type Finding, ok, type Seen, unseen, wrong } from './finding.ts';

export type EcsEngine = Extract<EngineConfig, { driver: 'ecs' }>;

/** What asks ECS; replaced in tests. */
export type AskEcs = (
  engine: EcsEngine,
  deployment: string,
  templates: ReadonlySet<string>,
  signal: AbortSignal,
) => Promise<readonly { readonly level: 'wrong' | 'unseen'; readonly text: string }[]>;

export const askEcs: AskEcs = async (engine, deployment, templates, signal) => {
  // Loaded only here: the library of AWS is large.
  const { examineEcs } = await import('../drivers/ecs/examine.ts');
  return examineEcs({ ...engine, deployment, clock: systemClock }, templates, signal);
};

export async function examineEcsEngine(
  engine: EcsEngine,
  deployment: string,
  { list }: Profiles,
  ask: AskEcs,
  signal: AbortSignal,
): Promise<Seen<never>> {
  const launched = list.filter(({ launch }) => launch !== false);
  const templates = new Set(launched.map(({ template }) => template));
  try {
    const seen = await ask(engine, deployment, templates, signal);
    const findings = seen.map(({ level, text }) =>
      level === 'wrong' ? wrong(text) : unseen(text),
    );
    return { findings: [...wellOf(findings, engine, templates), ...findings, LAUNCHING] };
  } catch (error) {
    return { findings: [wrong(reasonOf(error))] };
  }
}

const LAUNCHING = unseen(
  'whether tasks may be launched (ecs:RunTask, iam:PassRole) shows only a launch',
  'with a launcher that runs: `room-launcher doctor --probe`',
);

function wellOf(
  findings: readonly Finding[],
  { cluster }: EcsEngine,
  templates: ReadonlySet<string>,
): readonly Finding[] {
  if (findings.length > 0) return [];
  const definitions = [...templates].join(', ');
  return [ok(`cluster ${cluster} and ${definitions}: as launches need them; tasks may be listed`)];
}
