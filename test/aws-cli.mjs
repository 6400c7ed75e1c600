/**
 * AWS's own command line tool, with which users follow docs/deploy.md, found or installed once:
 * version 1, as version 2 is in no registry of Python's. The interpreter runs `-m awscli`.
 */
import { findPythonTool } from './python-tool.mjs';

const AWS_CLI_VERSION = '1.46.2';

/**
 * The interpreter that runs it. Throws `PartMissing`.
 * @param {{ env: import('./python-tool.mjs').Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export function findAwsCli(how) {
  const tool = {
    name: `aws-cli-${AWS_CLI_VERSION}`,
    what: `AWS's command line tool ${AWS_CLI_VERSION}`,
    packages: [`awscli==${AWS_CLI_VERSION}`],
    probe: 'import awscli.botocore.session',
  };
  return findPythonTool(tool, how);
}
