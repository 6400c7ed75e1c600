/**
 * A launcher as `room-launcher serve` runs it, settings from the environment, with the engine in
 * memory: thousands of tasks cost it what it knows of them and nothing else. Told `cpu` over IPC it
 * answers with its CPU time, told `rss` with its memory.
 */
import process from 'node:process';

process.env.NODE_ENV = 'production';
// In the order of the command: its own part, then what serves.
await import('../../../dist/launcher/cli.js');
const { holdHeapDown } = await import('../../../dist/launcher/lib/heap.js');
holdHeapDown();
const { serve } = await import('../../../dist/launcher/serve.js');
const { memoryDriver, MemoryEngine } = await import('../../../dist/launcher/drivers/memory.js');
const { systemClock } = await import('../../../dist/launcher/lib/clock.js');

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
