/** The report for people, as lines: pure, so that every form of it can be tested. */
import { oneLine, type Paint, type Style } from '../cli/table.ts';
import type { CheckReport, Finding, Outcome } from './finding.ts';

const WORDS: Readonly<Record<Outcome, string>> = {
  ok: 'ok',
  warning: 'warning',
  wrong: 'wrong',
  unseen: 'not looked at',
};

const STYLES: Readonly<Record<Outcome, Style>> = {
  ok: 'green',
  warning: 'yellow',
  wrong: 'red',
  unseen: 'dim',
};

/** One line per finding, one below it with what to do. */
export function reportLines(reports: readonly CheckReport[], paint: Paint): string {
  const outcomeWidth = Math.max(...Object.values(WORDS).map((word) => word.length));
  const checkWidth = Math.max(0, ...reports.map(({ check }) => check.length));
  const indent = ' '.repeat(outcomeWidth + checkWidth + 4);
  const lines = reports.flatMap(({ check, findings }) =>
    findings.flatMap(({ outcome, text, remedy }) => [
      `${paint(STYLES[outcome], WORDS[outcome].padEnd(outcomeWidth))}  ${check.padEnd(checkWidth)}  ${oneLine(text)}`,
      ...(remedy === undefined ? [] : [`${indent}-> ${oneLine(remedy)}`]),
    ]),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** How many of each, the worst first. */
export function summaryOf(reports: readonly CheckReport[]): string {
  const findings = reports.flatMap((report) => report.findings);
  const counts = (['wrong', 'warning', 'unseen', 'ok'] as const).map((outcome) => {
    const count = countOf(findings, outcome);
    if (outcome === 'unseen') return count > 0 && `${count} not looked at`;
    if (outcome === 'warning')
      return count > 0 && `${count} ${count === 1 ? 'warning' : 'warnings'}`;
    return (count > 0 || outcome === 'wrong') && `${count} ${outcome}`;
  });
  return counts.filter((part) => part !== false).join(', ');
}

export function countOf(findings: readonly Finding[], outcome: Outcome): number {
  return findings.filter((finding) => finding.outcome === outcome).length;
}
