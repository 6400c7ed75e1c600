/**
 * Runs one task of the process engine; a program of its own: `node supervisor.js <folder>`.
 *
 * It is to its task what a container's shim is: it outlives the launcher, knows the exit code and
 * kills what will not end. The order (command and environment, with the agent's secrets) comes on
 * standard input; half an order, because the launcher died, is none, and the task stays to be
 * started by a repeat of `launch`. Of several supervisors of one folder the one that creates `pid`
 * runs the task; the others leave.
 *
 *     claim ─▶ spawn ─▶ started ──SIGTERM──▶ stopping ─▶ exit
 *
 * SIGTERM means "read `stop`": SIGTERM to the task's main process once, SIGKILL to its whole
 * process group at the earliest deadline asked for. Without a `stop` file (a machine that shuts
 * down) it is passed on and no deadline is set. Claim, spawn and `started` happen in one go, so that
 * no signal and hardly a crash can fall between them. What is left of the group when the main
 * process ends is killed, as in a container.
 *
 * Built on node's own modules alone: every task pays for its start.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { identityOf } from './identity.ts';
import {
  CHANGED_FILE,
  createRecord,
  FILES,
  graceAsked,
  type Order,
  parseOrder,
  writeRecord,
} from './records.ts';

const STDIN = 0;
/** As a shell says it: the command was not found or cannot be run. */
const EXIT_CANNOT_RUN = 127;

function main(folder: string): void {
  const order = parseOrder(readFileSync(STDIN, 'utf8'));
  const identity = identityOf(process.pid);
  if (order === null || identity === null) return;
  let stop: (() => void) | undefined;
  process.on('SIGTERM', () => stop?.());
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  if (!createRecord(folder, FILES.claim, { pid: process.pid, identity })) process.exit(0);
  stop = stopper(folder, run(folder, order).pid);
}

function run(folder: string, order: Order): ChildProcess {
  const log = openSync(join(folder, FILES.log), 'a', 0o600);
  const [program = '', ...words] = order.command;
  // Its own process group, so that the task's own children can be killed with it.
  const child = spawn(program, words, {
    detached: true,
    env: order.env,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const end = (code: number, detail: string) => {
    send(groupOf(child.pid), 'SIGKILL');
    note(folder, FILES.exit, { code, detail, atMs: Date.now() });
    process.exit(0);
  };
  child.on('error', (error) => end(EXIT_CANNOT_RUN, `cannot run ${program}: ${error.message}`));
  child.on('exit', (code, killedBy) => {
    const where = `its log is ${join(folder, FILES.log)}`;
    if (killedBy === null) end(code ?? 0, code === 0 ? '' : where);
    else end(128 + constants.signals[killedBy], `ended by ${killedBy}; ${where}`);
  });
  if (child.pid !== undefined) {
    const identity = identityOf(child.pid) ?? '';
    note(folder, FILES.started, { pid: child.pid, identity, atMs: Date.now() });
  }
  return child;
}

/** Ends the task by one SIGTERM and the earliest deadline asked for; 0 is SIGKILL at once. */
function stopper(folder: string, pid: number | undefined): () => void {
  let deadlineMs = Infinity;
  let timer: NodeJS.Timeout | undefined;
  let terminated = false;
  return () => {
    note(folder, FILES.stopping, {});
    const graceMs = graceAsked(folder);
    if (graceMs === 0) return send(groupOf(pid), 'SIGKILL');
    if (!terminated) send(pid, 'SIGTERM');
    terminated = true;
    if (graceMs === null || performance.now() + graceMs >= deadlineMs) return;
    deadlineMs = performance.now() + graceMs;
    clearTimeout(timer);
    timer = setTimeout(() => send(groupOf(pid), 'SIGKILL'), graceMs);
  };
}

function groupOf(pid: number | undefined): number | undefined {
  return pid === undefined ? undefined : -pid;
}

/** A process that never ran or has ended already needs no signal. */
function send(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended; `exit` follows.
  }
}

/** Writes down what happened and hints at it. A folder that somebody deleted costs the record. */
function note(folder: string, name: string, record: object): void {
  try {
    writeRecord(folder, name, record);
    writeFileSync(join(dirname(folder), CHANGED_FILE), '', { mode: 0o600 });
  } catch {
    // There is nobody to tell: the task shows as lost.
  }
}

main(process.argv[2] ?? '');
