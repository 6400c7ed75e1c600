/** Are there as many standbys that can take a room as the profiles want? A launcher that runs knows. */
import { parseStandbyKey } from '../core/key.ts';
import type { Profile } from '../core/desired.ts';
import { isTaskKey } from '../driver.ts';
import { delay, systemClock } from '../lib/clock.ts';
import { type Finding, ok, type Seen, wrong } from './finding.ts';
import type { LauncherApi, ListedTask } from './launcher-api.ts';

const POLL_MS = 500;
/** For those that are starting. */
const WAIT_MS = 15_000;

/** Waits for those that are starting; `profiles` are those that want some. */
export async function examineStandbys(
  launcher: LauncherApi,
  profiles: readonly Profile[],
  signal: AbortSignal,
): Promise<Seen<never>> {
  const untilMs = systemClock.nowMs() + WAIT_MS;
  for (;;) {
    const tasks = await launcher.tasks(signal);
    const findings = profiles.map((profile) => standbyFinding(profile, tasks));
    const settled = findings.every(({ outcome }) => outcome === 'ok');
    if (settled || systemClock.nowMs() > untilMs) return { findings };
    await delay(systemClock, POLL_MS, signal);
    signal.throwIfAborted();
  }
}

/** Pure: one profile's standbys among the tasks. */
export function standbyFinding(
  { name, standby: wanted = 0 }: Pick<Profile, 'name' | 'standby'>,
  tasks: readonly ListedTask[],
): Finding {
  const its = tasks.filter(
    ({ key }) => key !== null && isTaskKey(key) && parseStandbyKey(key)?.profile === name,
  );
  const ready = its.filter(({ standby }) => standby === 'ready').length;
  const what = `profile ${name} wants ${wanted} ${wanted === 1 ? 'standby' : 'standbys'}`;
  if (ready >= wanted) return ok(`${what}, and ${ready} can take a room`);
  const stuck = its.find(({ standby, phase }) => standby === 'not-ready' || phase === 'ended');
  if (stuck === undefined) {
    const remedy = "the launcher's log says why none is launched (`task.launch`)";
    return wrong(`${what}, ${ready} can take a room, and none is on its way`, remedy);
  }
  return wrong(
    `${what}, ${ready} can take a room; task ${stuck.key} is ${stateOf(stuck)}`,
    'its own log says what it does instead of registering; `network` tells whether it could',
  );
}

function stateOf({ phase, socket, reason }: ListedTask): string {
  const said = reason === '' ? '' : ` (${reason})`;
  if (phase !== 'running') return `${phase}${said}`;
  return socket === null ? `running and has not registered${said}` : `registered, ${socket}${said}`;
}
