/**
 * The last line of defence against a secret in the log. Secrets are of type `Secret` and print as
 * `[secret]` by themselves; this catches what slips through inside somebody else's error text.
 */
import type { Fields } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';

const MASK = '[secret]';
/** Fields of these names are masked whatever they hold. */
const SECRET_FIELD = /(?:^|_)(?:token|secret|password|authorization)$/i;
/** A signed token (JWT): room tokens and API tokens are made all the time, so they go by form. */
const SIGNED_TOKEN = String.raw`eyJ[\w-]{8,}\.[\w-]+\.[\w-]+`;

export interface Redaction {
  text(text: string): string;
  fields(fields: Fields): Fields;
}

/** Masks the values of `secrets` and everything that has the form of a signed token. */
export function redaction(secrets: readonly Secret[]): Redaction {
  const values = secrets.map((secret) => secret.reveal()).filter((value) => value !== '');
  // Longest first, so that of two secrets that begin alike no rest is left over.
  const patterns = values.toSorted((a, b) => b.length - a.length).map(escapePattern);
  const anySecret = new RegExp([...patterns, SIGNED_TOKEN].join('|'), 'g');
  const text = (plain: string) => plain.replace(anySecret, MASK);
  const field = (key: string, value: Fields[string]) => {
    if (SECRET_FIELD.test(key)) return MASK;
    return typeof value === 'string' ? text(value) : value;
  };
  return {
    text,
    fields: (fields) =>
      Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, field(key, value)])),
  };
}

function escapePattern(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
