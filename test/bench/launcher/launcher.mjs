/**
 * A launcher as `room-launcher serve` runs it, settings from the environment, with the engine in
 * memory: thousands of tasks cost it what it knows of them and nothing else. Told `cpu` over IPC it
 * answers with its CPU time, told `rss` with its memory.
 */
import process from 'node:process';
import { memoryDriver, MemoryEngine } from '../../../dist/launcher/drivers/memory.js';
import { systemClock } from '../../../dist/launcher/lib/clock.js';
import { serve } from '../../../dist/launcher/serve.js';

// What the command has loaded by the time it serves.
await import('../../../dist/launcher/cli.js');
process.env.NODE_ENV = 'production';
const ended = new AbortController();
const engine = new MemoryEngine({ nowMs: () => systemClock.nowMs() });
const open = async ({ deployment }) => memoryDriver(engine, { deployment });

process.on('message', (asked) => {
  const { user, system } = process.cpuUsage();
  const answers = { cpu: (user + system) / 1_000, rss: process.memoryUsage.rss() };
  process.send({ asked, value: answers[asked] });
});
process.on('disconnect', () => ended.abort('the measurement is over'));
const { env, stderr } = process;
process.exitCode = await serve({ env, cwd: process.cwd(), stderr, signal: ended.signal }, open);
process.exit();
