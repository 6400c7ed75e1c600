/**
 * The files of ops/ and the pages about them, held against the exposition of a launcher: nothing in
 * them names what there is not, and nothing there is goes unnamed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { baseName, familiesOf } from '../support/exposition.ts';
import { describeWith } from '../support/left-out.ts';
import {
  dashboardQueries,
  OPS,
  promtool,
  readDashboard,
  readRules,
  readRuleTests,
  RULE_TESTS,
  RULES,
} from '../support/promtool.ts';
import { ToldMetrics } from '../support/told-metrics.ts';

const DOCS = join(OPS, '..', 'docs');
const rules = readRules();
const alerts = rules.flatMap(({ alert, ...rest }) =>
  alert === undefined ? [] : [{ alert, ...rest }],
);
const recorded = rules.flatMap(({ record }) => record ?? []);
const dashboard = readDashboard();

let text: string;
beforeAll(async () => {
  text = await new ToldMetrics().text();
});

/** Every name in PromQL that is one of a metric of ours or of the process, or was recorded. */
function namesIn(expr: string): string[] {
  const names = expr.match(/(?<![\w:])(?:instance:)?(?:room_launcher|process|nodejs)_[\w:]+/g);
  return (names ?? []).map((name) => (name.startsWith('instance:') ? name : baseName(name)));
}

function headings(page: string): string[] {
  return [...readFileSync(join(DOCS, page), 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, h = '']) => h);
}

describe('metrics', () => {
  test('ops/ names only those that there are', () => {
    const variables = dashboard.templating.list.map(({ definition = '' }) => definition);
    const asked = [...rules.map(({ expr }) => expr), ...dashboardQueries(), ...variables];
    const known = new Set([...familiesOf(text).map(({ name }) => baseName(name)), ...recorded]);
    const named = new Set(asked.flatMap(namesIn));
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
    expect(named.size).toBeGreaterThan(20);
  });

  test('the dashboard shows each of ours', () => {
    const shown = new Set(
      [...dashboardQueries(), ...rules.map(({ expr }) => expr)].flatMap(namesIn),
    );
    const ours = familiesOf(text).filter(({ name }) => name.startsWith('room_launcher_'));
    const hidden = ours.map(({ name }) => baseName(name)).filter((name) => !shown.has(name));
    expect(hidden).toEqual(['room_launcher_build_info', 'room_launcher_ready']);
  });

  test('docs/metrics.md lists each with its type, its labels and its words', () => {
    const rows = [
      ...readFileSync(join(DOCS, 'metrics.md'), 'utf8').matchAll(/^\| `room_.*$/gm),
    ].map(([row]) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
        .join(' | '),
    );
    const ours = familiesOf(text)
      .filter(({ name }) => name.startsWith('room_launcher_'))
      .map(
        ({ name, type, labels, help }) => `\`${name}\` | ${type} | ${labels.join(', ')} | ${help}`,
      );
    expect(rows.toSorted()).toEqual(ours.toSorted());
  });
});

describe('rules', () => {
  test('each alert says how bad it is, what it means, and where to read on', () => {
    const told = headings('operating.md');
    for (const { alert, labels, annotations } of alerts) {
      expect(labels['severity'], alert).toMatch(/^(critical|warning)$/);
      expect(annotations['summary'], alert).toMatch(/^.{20,}\.$/);
      expect(annotations['description'], alert).toMatch(/^.{20,}\.$/s);
      const [page, anchor] = (annotations['runbook'] ?? '').split('#');
      expect(page).toBe('docs/operating.md');
      const anchors = told.map((heading) => heading.toLowerCase());
      expect(anchors, alert).toContain(anchor);
      expect(told, alert).toContain(alert);
    }
    const names = alerts.map(({ alert }) => alert);
    expect(told.filter((heading) => heading.startsWith('RoomLauncher')).toSorted()).toEqual(
      names.toSorted(),
    );
  });

  test('each alert has a test in which it fires and one in which it does not', () => {
    const tests = readRuleTests().flatMap((one) => one.alert_rule_test);
    for (const { alert } of alerts) {
      const own = tests.filter(({ alertname }) => alertname === alert);
      expect(
        own.some(({ exp_alerts }) => exp_alerts.length > 0),
        `${alert} fires`,
      ).toBe(true);
      expect(
        own.some(({ exp_alerts }) => exp_alerts.length === 0),
        `${alert} is quiet`,
      ).toBe(true);
    }
    const asked = readRuleTests().flatMap((one) => one.promql_expr_test.map(({ expr }) => expr));
    expect(asked.toSorted()).toEqual(recorded.toSorted());
  });
});

describe('the dashboard', () => {
  test('each panel says what it shows, in which unit, of the chosen data source', () => {
    for (const { type, title, description, targets, fieldConfig, datasource } of dashboard.panels) {
      if (type === 'row') continue;
      expect(description, title).toMatch(/^.{10,}\.$|\?$/);
      expect(fieldConfig?.defaults.unit, title).toMatch(/^(short|s|ops|reqps|bytes|percentunit)$/);
      expect(targets.length, title).toBeGreaterThan(0);
      const sources = [datasource, ...targets.map((target) => target.datasource)];
      for (const source of sources) expect(source?.uid, title).toBe('${datasource}');
    }
  });

  test('no panel lies on another, or beside the grid', () => {
    const places = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`);
    });
    expect(new Set(places).size).toBe(places.length);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describeWith('prometheus')('promtool', () => {
  test('finds nothing wrong with the rules', async () => {
    expect(await promtool(['check', 'rules', '--lint-fatal', RULES])).toMatchObject({ code: 0 });
  });

  test('sees each alert fire, and not fire', async () => {
    const { code, output } = await promtool(['test', 'rules', RULE_TESTS]);
    expect(code, output).toBe(0);
    expect(output).toContain('SUCCESS');
  });

  test('finds nothing wrong with the exposition', async () => {
    expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
  });
});
