/**
 * What a profile in the YAML file may hold. The message of each error says what is allowed, so that
 * `profiles.ts` can put the place in front of it. Limits have the form of the settings they stand
 * in for.
 */
import { z } from 'zod';
import type { MetadataValue } from '../core/desired.ts';
import { SETTINGS } from './settings.ts';
import { flag, type Form, oneOf, pattern } from './values.ts';

/** A scalar of YAML, read as the environment's text would be. */
function given<T>(form: Form<T>): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const scalar = ['string', 'number', 'boolean'].includes(typeof value);
    const read = scalar ? form.schema.safeParse(String(value)) : null;
    if (read?.success) return read.data;
    context.issues.push({ code: 'custom', message: form.allowed, input: value });
    return z.NEVER;
  });
}

/** A text proper: a number would lose its form (`1.10` is 1.1). */
const envValue = z.string({ error: 'a text; put it in quotes' });

const metadataValue = z.custom<MetadataValue>(
  (value) => value === null || ['string', 'number', 'boolean'].includes(typeof value),
  { error: 'a text, a number, true, false or null' },
);

const match = z.strictObject(
  {
    room: z.optional(
      given(pattern(/^.{1,256}$/su, 'a glob over the name of the room, where * is any text')),
    ),
    metadata: z.optional(
      z.record(z.string(), metadataValue, { error: "keys of the room's metadata with values" }),
    ),
  },
  { error: 'a group of keys: room, metadata' },
);

export const profileSchema = z.strictObject(
  {
    name: given(SETTINGS.deployment.form),
    match: z.optional(match),
    launch: z.optional(given(flag)),
    image: z.optional(given(SETTINGS.agentImage.form)),
    agentFile: z.optional(given(SETTINGS.agentFile.form)),
    taskDefinition: z.optional(given(SETTINGS.ecsTaskDefinition.form)),
    runner: z.optional(given(flag)),
    cpu: z.optional(given(SETTINGS.cpu.form)),
    memoryMiB: z.optional(given(SETTINGS.memoryMiB.form)),
    env: z.optional(z.record(z.string(), envValue, { error: 'a group of names with texts' })),
    envFile: z.optional(given(SETTINGS.agentEnvFile.form)),
    agentName: z.optional(
      given(pattern(/^\P{C}{1,128}$/u, '1 to 128 characters, none of them a control character')),
    ),
    standby: z.optional(given(SETTINGS.standby.form)),
    retries: z.optional(given(SETTINGS.retries.form)),
    startDeadlineSeconds: z.optional(given(SETTINGS.startDeadlineSeconds.form)),
    joinDeadlineSeconds: z.optional(given(SETTINGS.joinDeadlineSeconds.form)),
    maxLifetimeSeconds: z.optional(given(SETTINGS.maxLifetimeSeconds.form)),
    shutdownTimeoutSeconds: z.optional(given(SETTINGS.shutdownTimeoutSeconds.form)),
    restart: z.optional(given(oneOf('on-failure', 'never'))),
    user: z.optional(
      given(pattern(/^[\w.-]{1,64}(?::[\w.-]{1,64})?$/, 'a name or number, or user:group')),
    ),
    readOnly: z.optional(given(flag)),
    tmpfs: z.optional(
      z.record(
        z.string(),
        given(pattern(/^[\w=,.%-]{0,256}$/, 'mount options, for example "size=64m"')),
        { error: 'a group of paths with mount options' },
      ),
    ),
    runtime: z.optional(
      given(pattern(/^[A-Za-z0-9][\w.-]{0,127}$/, 'the name of a runtime of the engine')),
    ),
  },
  { error: 'a group of keys, at least a name' },
);

export type GivenProfile = z.infer<typeof profileSchema>;

/** Keys by the group that holds them, for hints at a mistyped one. */
export const KNOWN_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['', Object.keys(profileSchema.shape)],
  ['match', Object.keys(match.shape)],
]);
