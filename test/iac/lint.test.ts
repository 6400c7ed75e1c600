/** CloudFormation's linter has nothing to say, warnings included: on each kind of stack. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, expect, it } from 'vitest';
import { command } from '../../scripts/docker-client.mjs';
import { findCfnLint } from '../cfn-lint.mjs';
import { KINDS, OUT, REGION, stackOf } from '../support/iac.ts';
import { describeWith } from '../support/left-out.ts';

/** CDK writes down dependencies that a reference makes already: nothing of ours. */
const REDUNDANT_DEPENDENCY = 'W3005';
const MAIN = 'from cfnlint import runner; runner.main()';

describeWith('cfn-lint')('the linter finds nothing', () => {
  let python = '';
  beforeAll(async () => {
    python = await findCfnLint({ env: process.env, say: (line) => console.error(line) });
  });

  const lint = async (template: unknown) => {
    const file = join(OUT, 'linted.json');
    await writeFile(file, JSON.stringify(template));
    const options = ['--regions', REGION, '--ignore-checks', REDUNDANT_DEPENDENCY];
    return command(python, ['-c', MAIN, ...options, '--', file], { env: process.env });
  };

  it.each(Object.entries(KINDS))('%s', async (_title, context) => {
    const { code, output } = await lint(Template.fromStack(stackOf(context)).toJSON());
    expect(output).toBe('');
    expect(code).toBe(0);
  });

  it('it would find something', async () => {
    const Resources = { Queue: { Type: 'AWS::SQS::Queue', Properties: { Delay: 'long' } } };
    expect((await lint({ Resources })).code).not.toBe(0);
  });
});
