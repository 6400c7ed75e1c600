/** A real Prometheus that scrapes one launcher, with the rules of ops/. Gone when it is disposed of. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { freeTcpPorts } from '../../launcher/dev/ports.ts';
import { type Child, startChild } from '../../launcher/dev/process.ts';
import { findPrometheus } from '../prometheus.mjs';
import type { Cleanup } from './cleanup.ts';
import { RULES } from './promtool.ts';
import { waitFor } from './wait.ts';

const START_DEADLINE_MS = 20_000;
const REQUEST_TIMEOUT_MS = 5_000;

const Answer = z.object({ status: z.literal('success'), data: z.unknown() });
const Vector = z.object({
  result: z.array(
    z.object({
      metric: z.record(z.string(), z.string()),
      value: z.tuple([z.number(), z.string()]),
    }),
  ),
});
const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          name: z.string(),
          health: z.string(),
          state: z.string().optional(),
          lastError: z.string().optional(),
        }),
      ),
    }),
  ),
});

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class TestPrometheus {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** Starts one that scrapes this address every second; resolves once it is ready. */
  static async start(cleanup: Cleanup, target: string): Promise<TestPrometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-test-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const config = join(folder, 'prometheus.yml');
    const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
    const scrape = { job_name: 'room-launcher', static_configs: [{ targets: [target] }] };
    // JSON is YAML too.
    const text = { global, rule_files: [RULES], scrape_configs: [scrape] };
    await writeFile(config, JSON.stringify(text));
    const bin = await findPrometheus({ env: process.env, say: () => {} });
    const [port] = await freeTcpPorts(1);
    const address = `127.0.0.1:${port}`;
    const args = [`--config.file=${config}`, `--web.listen-address=${address}`];
    const child = await startChild(
      join(bin, 'prometheus'),
      [...args, `--storage.tsdb.path=${join(folder, 'data')}`],
      { env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    cleanup.defer(() => child.kill());
    await TestPrometheus.#ready(`http://${address}`, child);
    return new TestPrometheus(`http://${address}`);
  }

  static async #ready(url: string, child: Child): Promise<void> {
    let said = '';
    child.process.stderr?.setEncoding('utf8').on('data', (part: string) => (said += part));
    const ready = async () => child.hasEnded() || (await fetch(`${url}/-/ready`)).ok;
    await waitFor('Prometheus to be ready', ready, START_DEADLINE_MS);
    if (child.hasEnded()) throw new Error(`Prometheus ended at its start:\n${said}`);
  }

  /** The samples that a query gives now. */
  async query(expr: string): Promise<Sample[]> {
    const data = await this.#get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { result } = Vector.parse(data);
    return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }

  /** Waits until a query gives one sample of this value: scrapes are a second apart. */
  async shows(expr: string, value: number, deadlineMs?: number): Promise<void> {
    const look = async () => {
      const samples = await this.query(expr);
      if (samples.length === 1 && samples[0]?.value === value) return true;
      throw new Error(JSON.stringify(samples));
    };
    await waitFor(`${expr} to be ${value}`, look, deadlineMs);
  }

  /** Waits until this alert's condition holds. */
  async alarms(alert: string): Promise<void> {
    await waitFor(`the alert ${alert}`, async () => {
      const state = (await this.rules()).find(({ name }) => name === alert)?.state;
      return state === 'pending' || state === 'firing';
    });
  }

  /** The rules that it loaded, in their order. */
  async rules() {
    const { groups } = Rules.parse(await this.#get('/api/v1/rules'));
    return groups.flatMap(({ rules }) => rules);
  }

  async #get(path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const answer: unknown = await (await fetch(this.#url + path, { signal })).json();
    const read = Answer.safeParse(answer);
    if (!read.success) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return read.data.data;
  }
}
