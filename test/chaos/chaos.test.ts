/**
 * Chaos on the real parts: LiveKit's server, the Docker engine, our runner's containers. Short in
 * `npm test`; `npm run chaos` says how much of which scenario (CHAOS, as JSON).
 */
import { randomInt } from 'node:crypto';
import process from 'node:process';
import { afterAll, afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { Cleanup } from '../support/cleanup.ts';
import { describeWith } from '../support/left-out.ts';
import { type Report, summary, total } from './figures.ts';
import { runScenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';

const OPENING_MS = 150_000;
const ROUND_MS = 120_000;

const names = SCENARIOS.map(({ name }) => name);
const atLeastOne = z.int().min(1).optional();
const chosen = z
  .object({
    long: z.boolean().default(false),
    only: z.array(z.enum(names)).default(names),
    rounds: atLeastOne,
    rooms: atLeastOne,
    seed: z.int().optional(),
    really: z.boolean().default(false),
    logs: z.string().optional(),
  })
  .parse(JSON.parse(process.env['CHAOS'] ?? '{}'));

const say = (line: string) => console.log(line);

describeWith('livekit', 'docker')('chaos', () => {
  const cleanup = new Cleanup();
  const reports: Report[] = [];
  afterEach(() => cleanup.run(), OPENING_MS);
  afterAll(() => say(total(reports)));

  for (const scenario of SCENARIOS.filter(({ name }) => chosen.only.includes(name))) {
    const { rounds, rooms } = chosen.long ? scenario.long : scenario.short;
    const size = { rounds: chosen.rounds ?? rounds, rooms: chosen.rooms ?? rooms };
    const timeout = OPENING_MS + size.rounds * ROUND_MS;
    test(`${scenario.name}: nothing is lost, doubled or leaked`, { timeout }, async () => {
      const seed = chosen.seed ?? randomInt(1, 2 ** 31);
      say(`${scenario.name}: seed ${seed}`);
      const { really, logs } = chosen;
      const report = await runScenario(scenario, { cleanup, size, seed, really, say, logs });
      reports.push(report);
      say(summary(report));
      const { lost, doubled, leaked, touched, untold } = report;
      const none = { lost: [], doubled: [], leaked: [], touched: [], untold: [] };
      expect({ lost, doubled, leaked, touched, untold }).toEqual(none);
    });
  }
});
