/**
 * LiveKit's own workers on this machine, as their documentation starts them: a process for each room,
 * and a pool of idle ones.
 */
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findPythonAgents } from '../python-agents.mjs';
import { child, livekit } from './bed.mjs';
import { cpuSeconds, descendants, isGone } from './processes.mjs';
import { unit } from './unit.mjs';
import { until } from './wait.mjs';

const REGISTERED = 'registered worker';
/** Its own port for health would be one for all workers of a machine. */
const WITHOUT_PORT = '--simulation';
const CALM_WINDOW_MS = 200;
/** In a window; a process that starts uses all that it can get. */
const CALM_SECONDS = 0.03;
/** JavaScript's registers before its pool is there. */
const CALM_WINDOWS_AT_START = 6;

/** Idle processes that a worker keeps by default, in JavaScript. */
export const POOL = Math.min(availableParallelism(), 4);

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** With `idle` processes in its pool, by default as many as it chooses itself. */
export function jsWorker(bed, name, { idle } = {}) {
  const agent = here('../../dist/agent-image/examples/agent.js');
  const args = [here('plain-worker.mjs'), 'start', agent, WITHOUT_PORT];
  return worker(bed, name, process.execPath, args, idleProcesses(idle));
}

/** The same in Python. */
export async function pythonWorker(bed, name, { idle } = {}) {
  const python = await findPythonAgents({ env: process.env, say: console.error });
  return worker(bed, name, python, [here('plain_worker.py'), 'start', WITHOUT_PORT], {
    PYTHONPATH: here('../../agent-image/examples/python'),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    ...idleProcesses(idle),
  });
}

function idleProcesses(count) {
  return count === undefined ? {} : { IDLE_PROCESSES: String(count) };
}

async function worker(bed, name, file, args, env) {
  const server = await livekit(bed);
  const started = await child(bed, name, file, args, { ...server.env, ...env });
  await bed.defer(() => started.kill());
  await started.until(`${name}: ${REGISTERED}`, () => started.log().includes(REGISTERED));
  for (let windows = 0, before = ''; windows < CALM_WINDOWS_AT_START;) {
    const pids = descendants(started.pid).join();
    windows = (await isCalm(started.pid)) && pids === before ? windows + 1 : 0;
    before = pids;
  }
  const full = descendants(started.pid).length;
  let idle = new Map();
  return {
    name,
    livekit: server,
    endsAtOnce: true,
    tail: started.tail,
    idleUnit: () => unit(started.pid),
    async settled() {
      const isFull = async () =>
        descendants(started.pid).length >= full && (await isCalm(started.pid));
      await until(`${name}: ${full} processes that wait`, isFull);
      idle = usedBy(started.pid);
    },
    over: () => {},
    /**
     * Of those that waited when it had settled, the one that has worked most since; the one that ends
     * is the job's in any case.
     */
    async unitOf() {
      const now = usedBy(started.pid);
      const grown = [...idle].map(([pid, used]) => [(now.get(pid) ?? used) - used, pid]);
      const [, pid] = grown.toSorted(([a], [b]) => b - a)[0];
      const anyGone = () => [...idle.keys()].some(isGone);
      return { ...unit(pid), gone: () => until(`${name}: the end of a job's process`, anyGone) };
    },
  };
}

function usedBy(pid) {
  return new Map(descendants(pid).map((one) => [one, cpuSeconds(one) ?? 0]));
}

/** Whether none of the processes below this one does anything. */
export async function isCalm(pid) {
  const before = usedBy(pid);
  await sleep(CALM_WINDOW_MS);
  const after = usedBy(pid);
  return [...after].every(([one, used]) => used - (before.get(one) ?? 0) <= CALM_SECONDS);
}
