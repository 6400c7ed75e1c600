/** The launcher's real log lines, put through the filters that the alarms count by. */
import { Template } from 'aws-cdk-lib/assertions';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../launcher/telemetry/log.ts';
import { stackOf } from '../support/iac.ts';
import { World } from '../unit/reconcile/world.ts';

const HOUR_MS = 3_600_000;
/** Before anybody misses a task's agent. */
const START_MS = 10_000;

/** `{ ($.a = "x") && ($.b = "y") }`, which is all of CloudWatch's patterns that is used here. */
function matches(pattern: string, line: string): boolean {
  const terms = [...pattern.matchAll(/\$\.(\w+) = "([^"]*)"/g)];
  const rest = pattern.replaceAll(/\(?\$\.\w+ = "[^"]*"\)?/g, '').replaceAll('&&', '');
  expect([terms.length > 0, rest.replaceAll(' ', '')]).toEqual([true, '{}']);
  const fields: unknown = JSON.parse(line);
  return terms.every(([, key = '', value]) => (fields as Record<string, unknown>)[key] === value);
}

describe('an alarm', () => {
  let world: World;
  let lines: string[];
  beforeEach(() => {
    world = new World();
    lines = [];
  });
  afterEach(() => world.end());

  /** So much of a room's life, with this for an answer to each launch. */
  async function lives(forMs: number, refusal: World['engine']['refusal']) {
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLog({ level: 'info', redact: [], clock: world.clock, destination });
    const launcher = await world.launcher({ log });
    world.engine.refusal = refusal;
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    await world.clock.advance(forMs);
    expect(lines.some((line) => line.includes('"task.launch"'))).toBe(true);
  }

  /** Does this alarm ring for what was logged? */
  function rings(MetricName: string): boolean {
    const template = Template.fromStack(stackOf());
    const [filter] = Object.values(
      template.findResources('AWS::Logs::MetricFilter', {
        Properties: { MetricTransformations: [{ MetricName }] },
      }),
    );
    const [alarm] = Object.values(
      template.findResources('AWS::CloudWatch::Alarm', { Properties: { MetricName } }),
    );
    const pattern: string = filter?.['Properties'].FilterPattern;
    const counted = lines.filter((line) => matches(pattern, line)).length;
    return counted >= alarm?.['Properties'].Threshold;
  }

  it.each([
    ['all the time', { reason: 'quota', retry: 'same-key' }],
    ['for good', { reason: 'invalid', retry: 'never' }],
  ] as const)('rings for one room that is refused %s, and has no agent', async (_title, answer) => {
    await lives(HOUR_MS, { outcome: 'refused', detail: 'no', ...answer });
    expect([rings('Refusals'), rings('FailedRuns')]).toEqual([true, true]);
  });

  it('does not for a room that has a task', async () => {
    await lives(START_MS, null);
    expect([rings('Refusals'), rings('FailedRuns')]).toEqual([false, false]);
  });
});
