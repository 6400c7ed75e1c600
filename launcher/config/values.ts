/** The forms of value that settings take. Each reads one text, or says what it must be. */
import { z } from 'zod';
import type { ListenAddress } from '../lib/listen.ts';
import { Secret } from '../lib/secret.ts';

/** One form of value: how it is read, and the words for what is allowed. */
export interface Form<T> {
  readonly schema: z.ZodType<T, string>;
  readonly allowed: string;
}

export interface KeyPair {
  readonly key: string;
  readonly secret: Secret;
}

/** Form of an API key: no white space, no comma, no colon. */
const KEY = /^[^\s,:]+$/;
const HIGHEST_PORT = 65_535;

export function wholeNumber(min: number, max: number): Form<number> {
  return {
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().int().min(min).max(max)),
    allowed: `a whole number from ${min} to ${max}`,
  };
}

/** With a point or without; no sign, no exponent. */
export function decimal(min: number, max: number): Form<number> {
  return {
    schema: z
      .string()
      .regex(/^\d+(?:\.\d+)?$/)
      .transform(Number)
      .pipe(z.number().min(min).max(max)),
    allowed: `a number from ${min} to ${max}`,
  };
}

export const flag: Form<boolean> = {
  schema: z.enum(['true', 'false']).transform((word) => word === 'true'),
  allowed: 'true or false',
};

export function oneOf<const T extends string>(...words: readonly T[]): Form<T> {
  return { schema: z.enum(words), allowed: words.join(', ').replace(/, ([^,]*)$/, ' or $1') };
}

export function pattern(form: RegExp, allowed: string): Form<string> {
  return { schema: z.string().regex(form), allowed };
}

/** Comma list of one name or more, each once: a name twice would be tried twice. */
export function nameList(form: RegExp, allowed: string): Form<readonly [string, ...string[]]> {
  return {
    schema: z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .pipe(z.tuple([z.string().regex(form)], z.string().regex(form)))
      .refine((names) => new Set(names).size === names.length),
    allowed: `${allowed}, each of them once`,
  };
}

/**
 * A revision of a task definition, read as `family:revision`, as ECS lists it. A family alone would
 * change under a launcher that runs.
 */
export const taskDefinition: Form<string> = {
  schema: z
    .string()
    .regex(/^(?:arn:[\w-]+:ecs:[\w-]*:\d*:task-definition\/)?[A-Za-z0-9_-]{1,255}:[1-9]\d*$/)
    .transform((text) => text.slice(text.lastIndexOf('/') + 1)),
  allowed: 'family:revision of a task definition, or its ARN',
};

/**
 * A URL without credentials, query and fragment, read without a slash at its end. `bare` also takes
 * no path: LiveKit's server API drops it, so that another server could answer.
 */
export function serverUrl(path: 'bare' | 'any-path', ...schemes: readonly string[]): Form<string> {
  const forms = schemes.map((scheme) => `${scheme}://`).join(', ');
  const without = `credentials, ${path === 'bare' ? 'path, ' : ''}query or fragment`;
  return {
    schema: z.string().transform((text, context) => {
      const url = /^\w+:\/\/\S+$/.test(text) && URL.canParse(text) ? new URL(text) : null;
      const plain = url && schemes.includes(url.protocol.slice(0, -1)) && !hasExtras(url);
      if (plain && (path === 'any-path' || url.pathname === '/'))
        return url.href.replace(/\/$/, '');
      context.issues.push({ code: 'custom', message: 'no such URL', input: text });
      return z.NEVER;
    }),
    allowed: `a URL that begins with ${forms}, without ${without}`,
  };
}

function hasExtras(url: URL): boolean {
  return url.username + url.password + url.search + url.hash !== '';
}

/** `host:port`; an IPv6 address in brackets. */
export const listenAddress: Form<ListenAddress> = {
  schema: z.string().transform((text, context) => {
    const [, bracketed, plain, port] =
      /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? [];
    const host = bracketed ?? plain;
    if (host !== undefined && Number(port) <= HIGHEST_PORT) return { host, port: Number(port) };
    context.issues.push({ code: 'custom', message: 'no such address', input: text });
    return z.NEVER;
  }),
  allowed: `host:port, port from 0 (any free one) to ${HIGHEST_PORT}, IPv6 as [::1]:8080`,
};

export const apiKey: Form<string> = {
  schema: z.string().regex(KEY),
  allowed: 'an API key: no white space, comma or colon',
};

export const secret: Form<Secret> = {
  schema: z
    .string()
    .regex(/^\S+$/)
    .transform((text) => new Secret(text)),
  allowed: 'one text without white space',
};

/** Comma list of secrets that keys are derived from; a task could guess at a short one. */
export function secretList(minLength: number): Form<readonly Secret[]> {
  return {
    schema: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(z.string().regex(/^\S+$/).min(minLength)))
      .transform((parts) => parts.map((part) => new Secret(part))),
    allowed: `a comma list of secrets of ${minLength} characters or more, without white space`,
  };
}

export const keyPairs: Form<readonly KeyPair[]> = {
  schema: z.string().transform((text, context) => {
    const pairs = text.split(',').map(readPair);
    if (pairs.every((pair) => pair !== null)) return pairs;
    context.issues.push({ code: 'custom', message: 'no such pairs', input: text });
    return z.NEVER;
  }),
  allowed: 'a comma list of key:secret',
};

function readPair(text: string): KeyPair | null {
  const colon = text.indexOf(':');
  const key = text.slice(0, Math.max(colon, 0));
  const value = text.slice(colon + 1);
  return KEY.test(key) && /^\S+$/.test(value) ? { key, secret: new Secret(value) } : null;
}
