/**
 * The start configuration: one operand and three variables. Everything that cannot work is said in
 * one line that names it and what to do, before any of the agent's code runs.
 */

export interface Settings {
  /** As given: relative to the working directory. */
  readonly agentFile: string;
  /** The launcher's gateway. */
  readonly gatewayUrl: string;
  /** The task's key, which is also the key of its credential. */
  readonly taskKey: string;
  /** Opens the gateway for this task, nothing else. Never logged. */
  readonly taskSecret: string;
  readonly agentName: string;
  /** A pino level, for agents-js' log. */
  readonly logLevel: string;
}

/** A start configuration that cannot work: exit code 64. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

type Env = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Reads operands and environment. `operands` must be exactly the agent file: an agent's own
 * `cli.runApp()` reads them too, and with one operand that is no command it does nothing.
 * Throws `StartError`.
 */
export function readSettings(operands: readonly string[], env: Env): Settings {
  const [agentFile, ...rest] = operands;
  if (!agentFile) throw new StartError('No agent file given: start with main.js <agent file>.');
  if (rest.length > 0) {
    throw new StartError(`Unexpected operand "${rest[0]}": give the agent file and nothing else.`);
  }
  const logLevel = env['LOG_LEVEL'] || 'info';
  if (!LOG_LEVELS.includes(logLevel)) {
    throw new StartError(`LOG_LEVEL is "${logLevel}": set one of ${LOG_LEVELS.join(', ')}.`);
  }
  return {
    agentFile,
    gatewayUrl: readUrl(required(env, 'LIVEKIT_URL')),
    taskKey: required(env, 'LIVEKIT_API_KEY'),
    taskSecret: required(env, 'LIVEKIT_API_SECRET'),
    agentName: env['LIVEKIT_AGENT_NAME_OVERRIDE'] || env['LIVEKIT_AGENT_NAME'] || '',
    logLevel,
  };
}

function required(env: Env, name: string): string {
  const value = env[name];
  if (!value) throw new StartError(`${name} is not set: the launcher sets it for each task.`);
  return value;
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^(?:ws|http)s?:$/.test(url.protocol)) {
    throw new StartError(
      `LIVEKIT_URL is "${text}": set the launcher's gateway, as ws://host:port or wss://host.`,
    );
  }
  return text;
}

/** Why Node cannot run this file by its name, or null. */
export function unrunnable(agentFile: string, stripsTypes: boolean): string | null {
  if (!/\.[cm]?tsx?$/.test(agentFile) || stripsTypes) return null;
  return `Agent file "${agentFile}" is TypeScript, which this Node does not run: compile it first.`;
}
