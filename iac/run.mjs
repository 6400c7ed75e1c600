/** What `cdk` runs: the app in TypeScript, bundled first, as the oldest Node that we allow needs it. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const outfile = fileURLToPath(new URL('../.cache/iac/app.mjs', import.meta.url));
await build({
  absWorkingDir: root,
  entryPoints: ['iac/app.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});
await import(outfile);
