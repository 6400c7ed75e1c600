/** The sources of the settings as they are on this machine: the YAML file and what settings name. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigSources } from '../config.ts';
import { CONFIG_FILE_SETTING } from './settings.ts';
import { readYamlFile } from './yaml-file.ts';

const EXAMPLE_AGENT = fileURLToPath(
  new URL('../../agent-image/examples/agent.js', import.meta.url),
);

export interface Place {
  readonly env: ConfigSources['env'];
  readonly cwd: string;
}

/** Reads the file that LAUNCHER_CONFIG names, if it does; or says in one line why it cannot. */
export function loadSources({
  env,
  cwd,
}: Place): { readonly sources: ConfigSources } | { readonly error: string } {
  const path = env[CONFIG_FILE_SETTING];
  const file = path
    ? readYamlFile(path, (name) => readFileSync(resolve(cwd, name), 'utf8'))
    : { content: undefined };
  if ('error' in file) return { error: file.error };
  const sources = {
    env,
    file: file.content,
    ...('lineOf' in file && { lineOf: file.lineOf }),
    baseDir: cwd,
    isReadableFile,
    readSecretFile: (name: string) => readFileSync(name, 'utf8'),
    defaultAgentFile: EXAMPLE_AGENT,
  };
  return { sources };
}

function isReadableFile(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
