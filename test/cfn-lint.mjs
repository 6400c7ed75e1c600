/** CloudFormation's linter for tests, found or installed once: its module is `cfnlint`. */
import { findPythonTool } from './python-tool.mjs';

const CFN_LINT_VERSION = '1.58.0';

/**
 * The interpreter that runs the linter. Throws `PartMissing`.
 * @param {{ env: import('./python-tool.mjs').Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export function findCfnLint(how) {
  const tool = {
    name: `cfn-lint-${CFN_LINT_VERSION}`,
    what: `CloudFormation's linter cfn-lint ${CFN_LINT_VERSION}`,
    packages: [`cfn-lint==${CFN_LINT_VERSION}`],
    probe: 'import cfnlint',
  };
  return findPythonTool(tool, how);
}
