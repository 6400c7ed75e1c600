/** cdk-nag's findings are mended, or argued where their cause is: on each kind of stack. */
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { KINDS, stackOf } from '../support/iac.ts';

describe('cdk-nag finds nothing that is not argued', () => {
  it.each(Object.entries(KINDS))('%s', (_title, context) => {
    const app = stackOf(context).node.root as App;
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });
});
