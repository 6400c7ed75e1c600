/** promtool, and what the files of ops/ ask of the metrics. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { findPrometheus } from '../prometheus.mjs';

export const OPS = fileURLToPath(new URL('../../ops/', import.meta.url));
export const RULES = join(OPS, 'rules.yml');
export const RULE_TESTS = join(OPS, 'rules.test.yml');

const Rule = z.object({
  alert: z.string().optional(),
  record: z.string().optional(),
  expr: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
const RuleFile = z.object({ groups: z.tuple([z.object({ rules: z.array(Rule) })]) });

const RuleTests = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) }))
        .default([]),
      promql_expr_test: z.array(z.object({ expr: z.string() })).default([]),
    }),
  ),
});

const Panel = z.object({
  id: z.int(),
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string().min(1),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  datasource: z.object({ uid: z.string() }).optional(),
  targets: z
    .array(z.object({ expr: z.string(), datasource: z.object({ uid: z.string() }) }))
    .default([]),
  fieldConfig: z.object({ defaults: z.object({ unit: z.string() }) }).optional(),
});
const Dashboard = z.object({
  templating: z.object({
    list: z.array(z.looseObject({ name: z.string(), definition: z.string().optional() })),
  }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(Panel),
});

/** Recording and alert rules, in their order. */
export function readRules() {
  return RuleFile.parse(parse(readFileSync(RULES, 'utf8'))).groups[0].rules;
}

export function readRuleTests() {
  return RuleTests.parse(parse(readFileSync(RULE_TESTS, 'utf8'))).tests;
}

export function readDashboard() {
  return Dashboard.parse(JSON.parse(readFileSync(join(OPS, 'grafana-dashboard.json'), 'utf8')));
}

/** What the dashboard asks, with its variables put in as Grafana does. */
export function dashboardQueries(): string[] {
  const { panels, annotations } = readDashboard();
  const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return [...exprs, ...annotations.list.map(({ expr }) => expr)].map((expr) =>
    expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance)/g, '.+'),
  );
}

/** Runs promtool; resolves with its exit code and all that it said. */
export async function promtool(
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; output: string }> {
  const folder = await findPrometheus({ env: process.env, say: () => {} });
  const child = spawn(join(folder, 'promtool'), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => (output += part));
  }
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output };
}
