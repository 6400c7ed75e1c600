/** What Linux says of processes: who started whom, processor time, memory, and when one is gone. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1_024;
const NS_PER_SECOND = 1e9;
const US_PER_SECOND = 1e6;
/** Fields of `/proc/<pid>/stat` after the command's name, which may hold anything. */
const STAT = { parent: 1, user: 11, system: 12, userOfChildren: 13, systemOfChildren: 14 };
/** Of the whole machine's processor time, while nothing is measured. */
const QUIET_SHARE_MAX = 0.12;
const QUIET_WINDOW_MS = 150;
const QUIET_LIMIT_MS = 1_000;

/** Null once there is no such process. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return null;
    throw error;
  }
}

function statOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? null;
}

/** All processes that this one, or those it started, have started. */
export function descendants(pid) {
  const children = new Map();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const parent = Number(statOf(name)?.[STAT.parent]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (one) => (children.get(one) ?? []).flatMap((each) => [each, ...below(each)]);
  return below(pid);
}

export function isGone(pid) {
  return !existsSync(`/proc/${pid}`);
}

/** Processor seconds of a process and of its children that have ended; null once it is gone. */
export function cpuSeconds(pid) {
  const stat = statOf(pid);
  if (stat === null) return null;
  const { user, system, userOfChildren, systemOfChildren } = STAT;
  const fields = [user, system, userOfChildren, systemOfChildren];
  return fields.reduce((sum, field) => sum + Number(stat[field]), 0) / TICKS_PER_SECOND;
}

/**
 * Processor seconds of a container since its start, by its main process: all that its control group
 * (version 1 or 2) has used; null once it is gone.
 */
export function containerCpuSeconds(pid) {
  for (const line of (read(`/proc/${pid}/cgroup`) ?? '').split('\n')) {
    const [, controllers = '', path] = line.split(':');
    if (controllers.split(',').includes('cpuacct')) {
      const usage = read(`/sys/fs/cgroup/cpuacct${path}/cpuacct.usage`);
      return usage === null ? null : Number(usage) / NS_PER_SECOND;
    }
    if (line.startsWith('0::')) {
      const usage = /usage_usec (\d+)/.exec(read(`/sys/fs/cgroup${path}/cpu.stat`) ?? '');
      if (usage) return Number(usage[1]) / US_PER_SECOND;
    }
  }
  return null;
}

/** MiB of these processes, each shared page counted by its share. As root where others run them. */
export function pssMiB(pids) {
  const sizes = pids.map((pid) => {
    const text = read(`/proc/${pid}/smaps_rollup`) ?? '';
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  });
  return sizes.reduce((sum, kib) => sum + kib, 0) / KIB_PER_MIB;
}

function machineTicks() {
  const [, ...ticks] = read('/proc/stat').split('\n', 1)[0].trim().split(/\s+/).map(Number);
  const all = ticks.slice(0, 8).reduce((sum, one) => sum + one, 0);
  return { all, idle: ticks[3] + ticks[4] };
}

/**
 * Waits until the machine has next to nothing to do; false when it has not become so in a second,
 * as then something else runs here.
 */
export async function quiet() {
  const endMs = performance.now() + QUIET_LIMIT_MS;
  for (let before = machineTicks(); performance.now() < endMs;) {
    await sleep(QUIET_WINDOW_MS);
    const now = machineTicks();
    const share = 1 - (now.idle - before.idle) / Math.max(1, now.all - before.all);
    if (share <= QUIET_SHARE_MAX) return true;
    before = now;
  }
  return false;
}
