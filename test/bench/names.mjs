/** What is measured and of whom, by the names that stand in tables, charts and goals. */

export const WAYS = {
  jsWorker: "LiveKit's JavaScript worker, warm",
  pythonWorker: "LiveKit's Python worker, warm",
  standbyBridge: 'our runner, standby, bridge',
  standbyHost: 'our runner, standby, host network',
  coldBridge: 'our runner, cold, bridge',
  coldHost: 'our runner, cold, host network',
  jsStandby: 'JavaScript image as it is, standby',
  jsCold: 'JavaScript image as it is, cold',
  pythonStandby: 'Python image as it is, standby',
  pythonCold: 'Python image as it is, cold',
  process: 'process driver, cold',
};

export const GROUPS = {
  active: 'CreateRoom to agent ACTIVE',
  text: 'CreateRoom to the first text',
  audio: 'CreateRoom to the first audio',
  exit: 'DeleteRoom to process or container gone',
  idle: 'memory of an idle unit (PSS)',
  busy: 'memory of a busy room (PSS)',
  cpu: 'processor time of a room',
  each: (rooms) => `${rooms} rooms at once, each one`,
  last: (rooms) => `${rooms} rooms at once, the last one`,
};

/** Rooms that are created at once: `usual` in a full run, as the goals have it. */
export const BURST = { usual: 8, great: 30 };

/**
 * Rows of the launcher alone that goals are made of: group and name.
 * @type {Record<'webhookRate' | 'webhookP99' | 'passSmall' | 'passGreat' | 'rssIdle' | 'rssThousand',
 *   [string, string]>}
 */
export const LAUNCHER = {
  webhookRate: ['webhooks', 'verified alone: answered'],
  webhookP99: ['webhooks', '1000 live rooms, people come and go: answer, p99 at 1000/s'],
  passSmall: ['passes', "a room's agent has come, 100 rooms"],
  passGreat: ['passes', "a room's agent has come, 10000 rooms"],
  rssIdle: ['memory', 'resident, 0 live rooms'],
  rssThousand: ['memory', 'resident, 1000 live rooms'],
};
