/** docs/quick-start.md as a newcomer follows it: each of its blocks, in order, in a copy of the clone. */
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { startChild } from '../../launcher/dev/process.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { BUILD_DEADLINE_MS, imageName } from '../support/build.ts';
import { Cleanup } from '../support/cleanup.ts';
import { docCommand } from '../support/doc-commands.ts';
import { docEnv, ownClone, runBlock } from '../support/doc-shell.ts';
import { roomClient } from '../support/launcher.ts';
import { describeWith } from '../support/left-out.ts';
import { served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const PAGE = 'quick-start.md';
const ROOM = 'demo';
const TEST_DEADLINE_MS = 3 * BUILD_DEADLINE_MS;
const SERVED_DEADLINE_MS = 120_000;
const END_DEADLINE_MS = 60_000;

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describeWith('livekit', 'docker')('the quick start', () => {
  test("ends with an agent of one's own in a room", { timeout: TEST_DEADLINE_MS }, async () => {
    const folder = await ownClone(cleanup);
    const env = await docEnv(cleanup);
    const tag = imageName(cleanup);
    const block = async (heading: string, part: string) =>
      (await docCommand(PAGE, heading, part)).replace('my-agent:1', tag);
    const does = async (heading: string, part: string) =>
      runBlock(await block(heading, part), { folder, env });

    const demo = await does('1. See it work', 'npm run demo');
    expect(demo.stdout).toMatch(/task ended \(code 0\)/);

    await does('2. Make an agent of your own', 'npm install');
    await does('2. Make an agent of your own', 'sed -i');
    const built = await does('3. Build its image', 'main.js build');
    expect(built.stdout).toContain(`built ${tag}`);

    const command = await block('4. Meet it in a room', '--stay');
    const dev = await startChild('bash', ['-c', `exec ${command}`], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    cleanup.defer(() => dev.kill());
    let text = '';
    for (const stream of [dev.process.stdout, dev.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
    }
    const isReady = () => text.includes('https://meet.livekit.io/custom?') || dev.hasEnded();
    await waitFor('the link to join with', isReady, SERVED_DEADLINE_MS);
    const server = await serverOf(text);
    const visitor = cleanup.use(await visit(server, ROOM, 'you'));
    const { agent } = await served({ rooms: roomClient(server) }, ROOM);
    await visitor.hears(agent.identity, 'Good day, you!');
    await visitor.asks(agent.identity, 'are you mine?');

    dev.process.kill('SIGINT');
    await waitFor('the end', () => dev.hasEnded(), END_DEADLINE_MS);
    expect((await dev.ended).code, text).toBe(0);
  });
});

/** What `--stay` says of its LiveKit server. */
async function serverOf(text: string) {
  const file = /^ {2}URL, key, secret +(\S+)$/m.exec(text)?.[1];
  if (file === undefined) throw new Error(`no server is named in:\n${text}`);
  const variables = parseEnv(await readFile(file, 'utf8'));
  const { LIVEKIT_URL: url = '', LIVEKIT_API_KEY: apiKey = '' } = variables;
  return { url, apiKey, apiSecret: new Secret(variables['LIVEKIT_API_SECRET'] ?? '') };
}
