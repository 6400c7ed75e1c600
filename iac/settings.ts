/** Which settings of the launcher may be given here: one that it does not take ends it minutes later. */

/** A test holds these and the others below against the launcher's own list. */
export const FREE: readonly string[] = [
  'LAUNCHER_TASK_LIVEKIT_URL',
  'LAUNCHER_DEPLOYMENT',
  'LAUNCHER_ADMIN_LISTEN',
  'LAUNCHER_RETRIES',
  'LAUNCHER_START_DEADLINE_SECONDS',
  'LAUNCHER_JOIN_DEADLINE_SECONDS',
  'LAUNCHER_SHUTDOWN_TIMEOUT_SECONDS',
  'LAUNCHER_MAX_LIFETIME_SECONDS',
  'LAUNCHER_RESYNC_SECONDS',
  'LAUNCHER_LOG_LEVEL',
  'LAUNCHER_CONFIG',
];
/** This stack gives them itself. */
const SET_HERE =
  /^LAUNCHER_(?:DRIVER|CPU|MEMORY_MIB|STANDBY|GATEWAY_(?:URL|LISTEN)|WEBHOOK_LISTEN|ECS_\w+)$/;
/** What is given to `settings` can be read in the template and in the task definition. */
const SECRET = /^LAUNCHER_(?:GATEWAY_SECRET|WEBHOOK_KEYS)(?:_FILE)?$/;
const OF_OTHER_DRIVERS = /^LAUNCHER_(?:AGENT_(?:IMAGE|FILE|ENV_FILE)|DOCKER_NETWORK)$/;
/** What alarms count is said at warn. */
const TOO_QUIET = ['error', 'silent'];

/** What is wrong with this setting; null for one that may be given. */
export function settingFault(name: string, value: string): string | null {
  if (SET_HERE.test(name))
    return `has ${name}, which is set here: use the prop for it, or remove it`;
  if (SECRET.test(name)) {
    const way = 'GatewaySecret of the outputs, webhookKeys for what is in livekitSecret';
    return `has ${name}, and all can read what is here: remove it; secrets have their own way (${way})`;
  }
  if (OF_OTHER_DRIVERS.test(name)) return `has ${name}, which means nothing on ECS: remove it`;
  if (!FREE.includes(name)) {
    return `has "${name}", which is no setting of the launcher: known are ${FREE.join(', ')}`;
  }
  if (name !== 'LAUNCHER_LOG_LEVEL' || !TOO_QUIET.includes(value)) return null;
  return `has ${name}=${value}, by which alarms would hear of nothing: choose debug, info or warn`;
}
