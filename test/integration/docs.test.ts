/** Commands of the pages that need no launcher: files checked, an image built, an agent shown. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { agentFolder, BUILD_DEADLINE_MS, imageExists, imageName } from '../support/build.ts';
import { Cleanup } from '../support/cleanup.ts';
import { docCommand } from '../support/doc-commands.ts';
import { docEnv, ownClone, ownFolder, runBlock } from '../support/doc-shell.ts';
import { describeWith } from '../support/left-out.ts';
import { blocksOf } from '../support/markdown.ts';

const README = '../README.md';
const AGENT = {
  'src/agent.ts': `
    import { defineAgent, type JobContext } from '@livekit/agents';
    export default defineAgent({ entry: (ctx: JobContext) => ctx.connect() });`,
};

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** A folder with the YAML of a page as its file, which may name files of this folder alone. */
async function folderWith(page: string): Promise<string> {
  const folder = await ownFolder(cleanup);
  const secret = join(folder, 'secret');
  await writeFile(secret, 'A=an-api-secret-of-thirty-six-letters\n');
  const [yaml] = blocksOf(page).filter(({ language }) => language === 'yaml');
  const text = (yaml?.text ?? '').replaceAll(/\/(?:etc|run)\/\S+/g, secret);
  expect(text).toContain(secret);
  await writeFile(join(folder, 'launcher.yaml'), text);
  return folder;
}

test('the file of docs/configuration.md is right, and its agent is shown', async () => {
  const folder = await folderWith('docs/configuration.md');
  const block = await docCommand(
    'configuration.md',
    'Configuration',
    '--offline --config launcher.yaml',
  );
  const { stdout } = await runBlock(block, { folder, env: await docEnv(cleanup) });
  expect(stdout).toContain('my-agent:1');
});

test('the profiles of docs/profiles.md are right, and the room gets its own', async () => {
  const folder = await folderWith('docs/profiles.md');
  const block = await docCommand('profiles.md', 'Check a file', '--room support-7');
  const { stdout } = await runBlock(block, { folder, env: await docEnv(cleanup) });
  expect(stdout).toContain('profile support');
});

describeWith('docker')('an image', () => {
  const pages: readonly (readonly [string, string])[] = [
    [README, 'Your agent'],
    ['build.md', 'Build an image of your agent'],
  ];
  test.each(pages)('is built as %s says', { timeout: BUILD_DEADLINE_MS }, async (page, heading) => {
    const { folder } = await agentFolder(cleanup, AGENT);
    const tag = imageName(cleanup);
    const block = await docCommand(page, heading, 'room-launcher build');
    await runBlock(block.replace('my-agent:1', tag), { folder, env: await docEnv(cleanup) });
    expect(await imageExists(tag)).toBe(true);
  });
});

describeWith(
  'livekit',
  'docker',
  'foreign',
)('an ordinary agent', () => {
  test('is shown as docs/your-agent.md says', { timeout: BUILD_DEADLINE_MS }, async () => {
    const folder = await ownClone(cleanup);
    const block = await docCommand('your-agent.md', 'Your agent, as it is', '--agent python');
    const { stdout } = await runBlock(block, { folder, env: await docEnv(cleanup) });
    expect(stdout).toMatch(/One room, one task: containers/);
  });
});
