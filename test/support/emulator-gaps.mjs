/**
 * All that the deployed stack has to do without in the emulator of AWS, each with why: run as the
 * CDK's app it runs ours, and then mends its templates by these. Nothing else differs from what a
 * user deploys.
 *
 * Beside the templates:
 * - The emulator's registry keeps no images: they are built from what the CDK has staged, but here and
 *   for this machine's processor (`staged-images.mjs`), and none is uploaded.
 * - It has neither DNS nor TLS, for which `emulator-names.ts` stands in.
 * - What is run is this file in place of `iac/run.mjs`, without a question about permissions, and
 *   `destroy` takes what was made of the app last (`deploy-bed.ts`).
 *
 * Reads EMULATOR_GATEWAY_URL, and EMULATOR_IMAGES: what images built here are called.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildStaged } from './staged-images.mjs';

/** @typedef {Record<string, any>} Json */
/** @typedef {Record<string, { Type: string, Properties: Json }>} Resources */

const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** @type {readonly { what: string, why: string, mend: (resources: Resources) => void }[]} */
export const GAPS = [
  {
    what: "a container's `Secrets` are written in ECS's own spelling",
    why: 'the emulator knows the names within them as ECS has them, not as CloudFormation has',
    mend: (resources) =>
      eachContainer(resources, (container) => {
        if (!container.Secrets) return;
        container.Secrets = container.Secrets.map(({ Name, ValueFrom }) => ({
          name: Name,
          valueFrom: ValueFrom,
        }));
      }),
  },
  {
    what: 'a secret of the stack is named by its attribute `Arn`, not by `Ref`',
    why: 'in the emulator `Ref` of a secret is its name, and ECS takes that for a parameter of SSM',
    mend: (resources) => {
      const isSecret = (id) => resources[id]?.Type === 'AWS::SecretsManager::Secret';
      eachContainer(resources, (container) => {
        container.Secrets = replaced(container.Secrets, ({ Ref }) =>
          isSecret(Ref) ? { 'Fn::GetAtt': [Ref, 'Arn'] } : undefined,
        );
      });
    },
  },
  {
    what: 'a secret that is generated without punctuation names each such character',
    why: 'the emulator does not know `ExcludePunctuation`',
    mend: (resources) => {
      for (const { Type, Properties } of Object.values(resources)) {
        const { GenerateSecretString: generated } = Properties ?? {};
        if (Type !== 'AWS::SecretsManager::Secret' || !generated?.ExcludePunctuation) continue;
        generated.ExcludeCharacters = PUNCTUATION;
      }
    },
  },
  {
    what: 'LAUNCHER_GATEWAY_URL is an address of this machine',
    why: 'names of service discovery resolve nowhere: the emulator has no DNS, and a service made by CloudFormation is not entered there',
    mend: (resources) =>
      eachContainer(resources, ({ Environment = [] }) => {
        const gateway = Environment.find(({ Name }) => Name === 'LAUNCHER_GATEWAY_URL');
        if (gateway) gateway.Value = process.env.EMULATOR_GATEWAY_URL;
      }),
  },
  {
    what: 'LAUNCHER_RESYNC_SECONDS is 300',
    why: 'with looks so rare, rooms are served in time by webhooks alone: a test would not see their loss',
    mend: (resources) =>
      eachContainer(resources, ({ Name: name, Environment = [] }) => {
        if (name !== 'launcher') return;
        Environment.push({ Name: 'LAUNCHER_RESYNC_SECONDS', Value: '300' });
      }),
  },
  {
    what: 'the launcher has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    why: "the emulator hands out a task role's credentials at an address that AWS's library does not ask",
    mend: (resources) =>
      eachContainer(resources, ({ Name: name, Environment = [] }) => {
        if (name !== 'launcher') return;
        for (const Name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
          Environment.push({ Name, Value: 'test' });
        }
      }),
  },
];

/**
 * @param {Resources} resources
 * @param {(container: Json) => void} change
 */
function eachContainer(resources, change) {
  for (const { Type, Properties } of Object.values(resources)) {
    if (Type === 'AWS::ECS::TaskDefinition') Properties.ContainerDefinitions.forEach(change);
  }
}

/** A copy in which each object that `by` gives something for is that. */
function replaced(value, by) {
  if (Array.isArray(value)) return value.map((item) => replaced(item, by));
  if (typeof value !== 'object' || value === null) return value;
  const found = by(value);
  if (found !== undefined) return found;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, by)]));
}

/** Mends what the app wrote to `folder`, and calls each template by its new content's hash. */
async function mendAssembly(folder) {
  const images = await buildStaged(folder, process.env.EMULATOR_IMAGES ?? '', process.env);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  for (const name of files.filter((file) => file.endsWith('.template.json'))) {
    const before = read(folder, `${name.split('.')[0]}.assets.json`);
    const template = JSON.parse(read(folder, name));
    for (const { mend } of GAPS) mend(template.Resources);
    eachContainer(template.Resources, (container) => {
      const { 'Fn::Sub': uploaded = '' } = container.Image;
      container.Image = images.get(uploaded.split(':').at(-1)) ?? container.Image;
    });
    const text = JSON.stringify(template);
    writeFileSync(join(folder, name), text);
    const hash = createHash('sha256').update(text).digest('hex');
    const assets = Object.entries(JSON.parse(before).files);
    const [was] = assets.find(([, { source }]) => source.path === name);
    for (const other of files.filter((file) => /^manifest|\.assets/.test(file))) {
      writeFileSync(join(folder, other), read(folder, other).replaceAll(was, hash));
    }
  }
}

function read(folder, name) {
  return readFileSync(join(folder, name), 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = fileURLToPath(new URL('../../iac/run.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [app], { stdio: 'inherit' });
  if (status === 0) await mendAssembly(process.env.CDK_OUTDIR ?? '');
  process.exitCode = status ?? 1;
}
