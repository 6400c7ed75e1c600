/**
 * The demo, `room-launcher dev`: a LiveKit server and the launcher on this machine, the main job
 * done for real, and everything gone again afterwards, however it ends.
 */
import { dispose } from '@livekit/rtc-node';
import { untilAborted } from '../lib/abort.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from '../lib/exit-codes.ts';
import { reasonOf } from '../lib/log.ts';
import type { Env } from './command.ts';
import type { EngineChoice } from './engine.ts';
import { LiveKitServerMissing } from './livekit-binary.ts';
import { JobFailed, joinToken, type MainJob, runMainJob } from './main-job.ts';
import { createProgress, type Progress, type Terminal, waitingFor } from './progress.ts';
import { end, type Services, type Started, startServices } from './services.ts';
import { startUpSplit } from './start-up.ts';
import { renderTimeline, renderTimelines } from './timeline.ts';
import { atMost, StepFailed } from './wait.ts';

export interface DevOptions extends EngineChoice {
  /** How many rooms at once, from 1. */
  readonly rooms: number;
  /** How many tasks wait for rooms before the first is created, from 0. */
  readonly standby: number;
  /** Leave everything running afterwards, until the signal aborts. */
  readonly stay: boolean;
}

export interface DevIo {
  readonly env: Env;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

interface Demo extends DevIo {
  readonly progress: Progress;
  readonly clock: Clock;
}

/** LiveKit's client waits for all of its parts, also for one that hangs. */
const DISPOSE_LIMIT_MS = 3_000;
const TASK_LOG_LINES = 12;
const STAY_ROOM = 'demo';
const FIRST_TONE_HZ = 440;
/** Far enough apart for a tenth of a second of sound to tell; starts again after 20 rooms. */
const TONE_STEP_HZ = 40;
const TONES = 20;

/**
 * Runs the demo and resolves with the exit code: 0, 1 for a step that failed (named on standard
 * error), 130 when `io.signal` aborted it. Never rejects; leaves no process and no file behind.
 */
export async function dev(options: DevOptions, io: DevIo): Promise<number> {
  const demo: Demo = {
    ...io,
    progress: createProgress(io.stderr, systemClock),
    clock: systemClock,
  };
  const started: Started = { undo: [] };
  let code = EXIT_OK;
  try {
    await run(options, demo, started);
  } catch (error) {
    demo.progress.clear();
    code = io.signal.aborted ? EXIT_INTERRUPTED : EXIT_FAILED;
    io.stderr.write(io.signal.aborted ? 'interrupted\n' : `${describe(error)}\n`);
  }
  try {
    demo.progress.show('cleaning up');
    await end(started);
    await atMost(DISPOSE_LIMIT_MS, dispose(), systemClock);
  } catch (error) {
    code ||= EXIT_FAILED;
    demo.progress.clear();
    io.stderr.write(`cleaning up failed: ${reasonOf(error)}\n`);
  }
  demo.progress.clear();
  return code;
}

async function run(options: DevOptions, demo: Demo, started: Started): Promise<void> {
  const { rooms, standby, stay } = options;
  const { progress, stdout, stderr, signal } = demo;
  const warn = (line: string) => {
    progress.clear();
    stderr.write(`${line}\n`);
  };
  const services = await startServices(
    { ...demo, wanted: options, progress: (line) => progress.show(line), warn },
    started,
  );
  try {
    await warm(standby, services, demo);
    const jobs = await runJobs(rooms, options.image === undefined, services, demo);
    progress.clear();
    stdout.write(await report(jobs, services));
  } catch (error) {
    throw signal.aborted ? error : await explain(error, services);
  }
  if (!stay) return;
  stdout.write(await whereToLook(services));
  await untilAborted(signal);
}

/** Waits until all standbys can take a room. */
async function warm(count: number, { launcher }: Services, demo: Demo): Promise<void> {
  if (count === 0) return;
  demo.progress.show(`waiting for ${count === 1 ? 'a standby' : `${count} standbys`} to be ready`);
  if (await launcher.standbysReady(count, demo.signal)) return;
  demo.signal.throwIfAborted();
  throw new StepFailed('the warm pool', `not ${count} of its standbys were ready in time`);
}

/** All rooms at once; the first failure ends the others' waits. */
async function runJobs(
  count: number,
  example: boolean,
  services: Services,
  demo: Demo,
): Promise<MainJob[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([demo.signal, failed.signal]);
  const { server, launcher, rooms } = services;
  const trouble = launcher.child.ended.then(({ code, signal: by }): never => {
    throw new StepFailed('the launcher', `it ended with ${code === null ? by : `code ${code}`}`);
  });
  trouble.catch(() => {});
  const waits = new Map<string, string>();
  const one = async (index: number): Promise<MainJob> => {
    const room = `demo-${index + 1}`;
    const waiting = (step: string) => {
      waits.set(room, step);
      demo.progress.show(waitingFor(waits));
    };
    const toneHz = FIRST_TONE_HZ + (index % TONES) * TONE_STEP_HZ;
    const shared = {
      server,
      rooms,
      log: launcher.log,
      clock: demo.clock,
      signal,
      trouble,
      example,
    };
    const job = await runMainJob({ ...shared, room, toneHz, waiting });
    waits.delete(room);
    return job;
  };
  const jobs = Array.from({ length: count }, (_, index) => one(index));
  try {
    return await Promise.all(jobs);
  } finally {
    failed.abort();
    await Promise.allSettled(jobs);
  }
}

async function report(jobs: readonly MainJob[], { engine }: Services): Promise<string> {
  const [first] = jobs;
  if (!first) return '';
  const rendered = jobs.length === 1 ? renderTimeline(first) : renderTimelines(jobs);
  const launched = jobs.filter(({ marks }) => !('standby ready' in marks));
  const warmed = jobs.length - launched.length;
  const [cold] = launched;
  const split = cold && startUpSplit(await engine.taskLog(cold.task));
  const who = jobs.length === 1 ? 'its runner' : `the runner of ${cold?.room}`;
  const start = split ? `\nStart-up of ${who}: ${split}\n` : '';
  const what = jobs.length === 1 ? 'One room, one task' : `${jobs.length} rooms, a task each`;
  const whence = warmed === 0 ? '' : `, ${warmed} of ${jobs.length} from the warm pool`;
  return `${what}${whence}: ${engine.text}. Milliseconds since the room's creation was asked for:\n\n${rendered}\n${start}`;
}

/** Adds to a failed step what the launcher and the task logged last. */
async function explain(error: unknown, { engine, launcher }: Services): Promise<Error> {
  const parts = [describe(error)];
  const lines = launcher.log.tail();
  if (lines.length > 0) parts.push('Last lines of the launcher:', ...lines);
  if (error instanceof JobFailed && error.task !== null) {
    const log = (await engine.taskLog(error.task)).trimEnd().split('\n').slice(-TASK_LOG_LINES);
    if (log.join('') !== '') parts.push(`Last lines of task ${error.task}:`, ...log);
  }
  return new Explained(parts.join('\n'), { cause: error });
}

/** An error whose message is all that people need to read. */
class Explained extends Error {}

function describe(error: unknown): string {
  const where = error instanceof JobFailed ? `${error.room}: ` : '';
  if (error instanceof StepFailed) return `failed: ${where}${error.step}: ${error.message}`;
  if (error instanceof Explained || error instanceof LiveKitServerMissing) return error.message;
  return `failed: ${reasonOf(error)}`;
}

async function whereToLook({ engine, server, launcher, secretFile }: Services): Promise<string> {
  const token = await joinToken(server, STAY_ROOM, 'you');
  const link = new URL('https://meet.livekit.io/custom');
  link.searchParams.set('liveKitUrl', server.url);
  link.searchParams.set('token', token);
  const rows = [
    ['LiveKit', server.url],
    ['API key', server.apiKey],
    ['URL, key, secret', secretFile],
    ['dashboard', `${launcher.adminUrl}/`],
    ['commands', `room-launcher rooms --admin ${launcher.adminUrl}`],
    ['launcher log', launcher.logFile],
    ['task logs', engine.logHint],
    ['server log', server.logFile],
    ['join token', token],
    ['join', link.href],
  ];
  const lines = rows.map(([name = '', value]) => `  ${name.padEnd(16)}  ${value}`);
  return `\nAll of it keeps running; joining creates the room. Ctrl-C ends it.\n\n${lines.join('\n')}\n`;
}
