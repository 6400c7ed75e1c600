/** What a task's environment is made of, and where the engine's directory is by default. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** What a program needs of the machine it runs on: no setting of the launcher's, no secret. */
const ESSENTIALS = (
  'PATH HOME USER LOGNAME SHELL TMPDIR TZ LANG LANGUAGE LC_ALL LC_CTYPE ' +
  'SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS'
).split(' ');

/** The part of the launcher's own environment that tasks may see. */
export function essentialEnv(env: Env): Record<string, string> {
  return Object.fromEntries(
    ESSENTIALS.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** `${XDG_STATE_HOME:-~/.local/state}/room-launcher`; a relative XDG_STATE_HOME does not count. */
export function defaultStateDir(env: Env): string {
  const xdg = env['XDG_STATE_HOME'];
  const state =
    xdg !== undefined && isAbsolute(xdg) ? xdg : join(env['HOME'] ?? homedir(), '.local', 'state');
  return join(state, 'room-launcher');
}
