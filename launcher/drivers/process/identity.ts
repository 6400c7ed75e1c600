/**
 * Tells a process from a later one that got the same pid.
 *
 * A pid alone proves nothing: pids are reused, and start again after a reboot. A pid together with
 * the moment the process started (and the boot it started in) is never reused.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Longest wait for `ps`, where there is no /proc. */
const PS_TIMEOUT_MS = 2_000;

/**
 * What stays true of a process for its whole life and of no other; null when no such process runs
 * (a zombie does not). Linux: /proc/<pid>/stat, fields 3 (state) and 22 (start time), see proc(5).
 * Elsewhere: `ps`, whose start time counts in seconds.
 */
export function identityOf(pid: number): string | null {
  return process.platform === 'linux' ? identityFromProc(pid) : identityFromPs(pid);
}

function identityFromProc(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command's name stands in parentheses and may hold anything, even spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0] ?? '', fields[19] ?? ''];
  if (/^[ZXx]$/.test(state)) return null;
  const boot = readOrNull('/proc/sys/kernel/random/boot_id') ?? '';
  return `${boot.trim()}:${started}`;
}

function identityFromPs(pid: number): string | null {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
    timeout: PS_TIMEOUT_MS,
  });
  const line = status === 0 ? stdout.trim() : '';
  return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
}

/** Files of /proc vanish with their process, also between opening and reading (ESRCH). */
function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
