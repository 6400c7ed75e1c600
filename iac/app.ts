/** The CDK app: `npm run synth`, `npm run deploy`. What it is told is in its context: `docs/aws.md`. */
import process from 'node:process';
import { App, cx_api as cxapi } from 'aws-cdk-lib';
import { InputError } from './checks.ts';
import { RoomLauncherStack, STACK_NAME } from './stack.ts';

const STACK = 'RoomLauncher';

try {
  // `cdk` runs us in the folder of cdk.json, and says which region it would deploy to.
  const place = { root: process.cwd(), expectedRegion: process.env['CDK_DEFAULT_REGION'] };
  const app = new App({ context: cxapi.CURRENTLY_RECOMMENDED_FLAGS });
  const given = String(app.node.tryGetContext('stackName') ?? STACK);
  // An odd one is told with all else that is.
  const stackName = STACK_NAME.test(given) ? given : STACK;
  new RoomLauncherStack(app, STACK, { ...place, stackName });
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  for (const { prop, why } of error.faults) process.stderr.write(`room-launcher: ${prop} ${why}\n`);
  process.exitCode = 1;
}
