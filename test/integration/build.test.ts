/** `room-launcher build`, with the machine's own Docker: an agent of one's own as an image. */
import { afterEach, expect, test } from 'vitest';
import {
  agentFolder,
  BUILD_DEADLINE_MS,
  imageExists,
  imageName,
  publishedMain,
  startBuild,
  textsIn,
} from '../support/build.ts';
import { Cleanup } from '../support/cleanup.ts';
import { containersOf, startDockerBed } from '../support/docker-bed.ts';
import { docker as dockerCommand } from '../support/agent-container.ts';
import { docker } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { ended, served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const TEST_DEADLINE_MS = 2 * BUILD_DEADLINE_MS;
const ROOM = 'room';

/** In TypeScript that Node alone would not run; with a package, a module and a file of its own. */
const TYPESCRIPT = {
  'src/agent.ts': `
    import { readFileSync } from 'node:fs';
    import { fileURLToPath } from 'node:url';
    import { cli, defineAgent, getJobContext, type JobContext, ServerOptions } from '@livekit/agents';
    import { parse } from 'yaml';
    import { greeting } from './greeting';

    enum Topic { chat = 'lk.chat' }
    const { name } = parse(readFileSync(new URL('../who.yaml', import.meta.url), 'utf8')) as { name: string };

    export default defineAgent({
      entry: async (ctx: JobContext) => {
        await ctx.connect();
        const same = getJobContext() === ctx;
        // More than once: what is sent right after the join can pass by who is there already.
        const tell = () => ctx.room.localParticipant?.sendText(greeting(name, same), { topic: Topic.chat });
        await tell();
        const telling = setInterval(() => void tell()?.catch(() => {}), 1_000);
        ctx.addShutdownCallback(async () => clearInterval(telling));
      },
    });
    cli.runApp(new ServerOptions({ agent: fileURLToPath(import.meta.url) }));`,
  'src/greeting.ts':
    'export const greeting = (name: string, same: boolean) => `I am ${name}: ${same}`;',
  'who.yaml': 'name: an agent of my own',
};
const JAVASCRIPT = {
  'agent.js': `
    import { defineAgent } from '@livekit/agents';
    export default defineAgent({ entry: (ctx) => ctx.connect() });`,
};

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describeWith('livekit', 'docker')('an agent in TypeScript, with a dependency of its own', () => {
  test('is built, and serves a room', { timeout: TEST_DEADLINE_MS }, async () => {
    const agent = await agentFolder(cleanup, TYPESCRIPT, 'yaml');
    const tag = imageName(cleanup);
    const build = await startBuild(cleanup, agent, 'src/agent.ts', '--tag', tag);
    expect(await build.code(), build.output()).toBe(0);
    expect(build.output()).toMatch(new RegExp(`built ${tag}: [0-9]+ MB\n`));
    expect(build.output()).toContain(`next: LAUNCHER_AGENT_IMAGE=${tag} room-launcher serve\n`);
    expect(build.output()).not.toContain('could not be bundled');
    expect(await build.leftFiles()).toEqual([]);

    const bed = await startDockerBed(cleanup, { image: tag });
    const visitor = cleanup.use(await visit(bed.server, ROOM));
    const { agent: participant, key } = await served(bed, ROOM);
    await visitor.hears(participant.identity, 'I am an agent of my own: true');
    const [container] = await containersOf(bed);
    expect(container).toMatchObject({
      Config: { User: '10001:10001', Labels: { 'room-launcher.runner': '1' } },
      HostConfig: { ReadonlyRootfs: true, CapDrop: ['ALL'] },
    });
    await bed.rooms.deleteRoom(ROOM);
    expect(await ended(bed.launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
  });
});

describeWith('docker')('room-launcher build', () => {
  test('takes no secret along', { timeout: TEST_DEADLINE_MS }, async () => {
    const agent = await agentFolder(cleanup, {
      // Loaded twice in the build, both times with what it needs.
      'agent.js': `
        import { writeFileSync } from 'node:fs';
        if (!process.env.HUSH) throw new Error('no HUSH');
        console.log(process.env.HUSH);
        writeFileSync('/tmp/kept', process.env.HUSH);
        ${JAVASCRIPT['agent.js']}`,
      'words.txt': 'words-that-do-go-in',
      '.env': 'OPENAI_API_KEY=hush-of-the-env',
      'config/.env.production': 'hush-of-production',
      'certs/server.key': 'hush-of-the-key',
      'hidden/words.txt': 'hush-of-the-ignored',
      '.dockerignore': 'hidden\n',
      '.npmrc': '//registry.example.org/:_authToken=hush-of-npm\n',
      'node_modules/x/index.js': 'hush-of-the-modules',
      '.git/config': 'hush-of-the-history',
    });
    const checkEnv = await agentFolder(cleanup, { 'agent.env': 'HUSH=hush-of-the-check' });
    const tag = imageName(cleanup);
    const args = ['agent.js', '--tag', tag, '--check-env', `${checkEnv.folder}/agent.env`];
    const build = await startBuild(cleanup, agent, ...args);
    expect(await build.code(), build.output()).toBe(0);
    expect(build.output()).toContain('they may hold secrets: ');
    expect(build.output()).not.toContain('could not be bundled');
    for (const name of ['.env', '.npmrc', 'config/.env.production', 'certs/server.key']) {
      expect(build.output()).toContain(name);
    }
    const texts = ['words-that-do-go-in', 'hush-of-'];
    expect(await textsIn(cleanup, tag, texts)).toEqual(['words-that-do-go-in']);
  });

  test(
    'says what it costs that an agent cannot be bundled',
    { timeout: TEST_DEADLINE_MS },
    async () => {
      const agent = await agentFolder(cleanup, {
        'agent.js': `await Promise.resolve();\n${JAVASCRIPT['agent.js']}`,
      });
      const tag = imageName(cleanup);
      const build = await startBuild(cleanup, agent, 'agent.js', '--tag', tag);
      expect(await build.code(), build.output()).toBe(0);
      expect(build.output()).toMatch(/could not be bundled \(.*Top-level await.*\): it works, and/);
      const check = '/app/dist/agent-image/check.js';
      const run = ['run', '--rm', '--network', 'none', '--entrypoint', 'node', tag, check];
      expect(await dockerCommand(...run, '/app/agent/agent.js')).toMatch(/^not bundled: "/);
    },
  );

  test('a second time installs nothing anew', { timeout: TEST_DEADLINE_MS }, async () => {
    const agent = await agentFolder(cleanup, JAVASCRIPT);
    const args = ['agent.js', '--verbose', '--tag', imageName(cleanup)];
    const first = await startBuild(cleanup, agent, ...args);
    expect(await first.code(), first.output()).toBe(0);
    await agent.write({ 'agent.js': `${JAVASCRIPT['agent.js']}\n// ${args.at(-1)}\n` });
    const second = await startBuild(cleanup, agent, ...args);
    expect(await second.code(), second.output()).toBe(0);
    const cached = (part: string) => {
      const lines = second.output().split('\n');
      const step = lines.find((line) => line.includes(part))?.split(' ', 1)[0];
      expect(step).toMatch(/^#\d+$/);
      return lines.includes(`${step} CACHED`);
    };
    expect(cached('npm ci --omit=dev')).toBe(true);
    expect(cached('npm "$command"')).toBe(true);
    expect(cached('COPY agent/entry')).toBe(false);
  });

  test('works from the published package', { timeout: TEST_DEADLINE_MS }, async () => {
    const { folder } = await agentFolder(cleanup, JAVASCRIPT);
    const tag = imageName(cleanup);
    const main = await publishedMain(cleanup);
    const build = await startBuild(cleanup, { folder, main }, 'agent.js', '--tag', tag);
    expect(await build.code(), build.output()).toBe(0);
    expect(await imageExists(tag)).toBe(true);
  });

  test.each([
    ['without a default agent', 'export default { entry: async () => {} };', 64],
    ['that throws at import', "throw new Error('no key');", 1],
    ['that ends the process', 'process.exit(0);', 1],
    ['that imports what is not a dependency', "import 'hono';", 1],
  ])('makes no image of a file %s', { timeout: TEST_DEADLINE_MS }, async (_, text, code) => {
    const agent = await agentFolder(cleanup, { 'agent.mjs': text });
    const tag = imageName(cleanup);
    const build = await startBuild(cleanup, agent, 'agent.mjs', '--tag', tag, '--verbose');
    expect(await build.code(), build.output()).toBe(code);
    expect(build.output()).toMatch(
      /no agent as its default export|no key|ended the process at import|Cannot find package 'hono'/,
    );
    expect(await imageExists(tag)).toBe(false);
    expect(await imageExists(build.draft() ?? '')).toBe(false);
    expect(await build.leftFiles()).toEqual([]);
  });

  test('interrupted in the check leaves nothing', { timeout: TEST_DEADLINE_MS }, async () => {
    const hangs = 'setInterval(() => {}, 1_000); await new Promise(() => {});';
    const agent = await agentFolder(cleanup, { 'agent.mjs': hangs });
    const tag = imageName(cleanup);
    const build = await startBuild(cleanup, agent, 'agent.mjs', '--tag', tag, '--verbose');
    const checks = () => {
      const name = build.draft()?.replace('build:', 'check-') ?? 'none yet';
      return docker.listContainers({ all: true, filters: { name: [name] } });
    };
    const running = async () => (await checks())[0]?.State === 'running' || build.child.hasEnded();
    await waitFor('the check to run', running, BUILD_DEADLINE_MS);
    build.child.process.kill('SIGTERM');
    expect(await build.code(), build.output()).toBe(130);
    expect(build.output()).toMatch(/interrupted\n$/);
    expect(await checks()).toEqual([]);
    expect(await imageExists(tag)).toBe(false);
    expect(await imageExists(build.draft() ?? '')).toBe(false);
    expect(await build.leftFiles()).toEqual([]);
  });
});
