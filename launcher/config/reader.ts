/** Reads settings one by one and keeps every error, so that all can be said at once. */
import type { Given } from './sources.ts';
import type { DefaultedSetting, Setting } from './setting.ts';

/** Longest part of a wrong value that an error shows. */
const SHOWN_LENGTH = 80;

export interface Reader {
  /** Undefined when it is not set; also after an error, which is kept. */
  optional<T>(setting: Setting<T>): T | undefined;
  /** The default when it is not set; also after an error, which is kept. */
  orDefault<T>(setting: DefaultedSetting<T>): T;
  /** Undefined only after an error. */
  required<T>(setting: Setting<T>): T | undefined;
  /** A value that was read cannot be used after all. */
  refuse<T>(setting: Setting<T>, why: string): void;
}

/** The returned reader appends to `errors`. */
export function settingsReader(given: Given, errors: string[]): Reader {
  const optional = <T>(setting: Setting<T>): T | undefined => {
    const value = given.values.get(setting.name);
    if (!value || value.text === null) return undefined;
    const read = setting.form.schema.safeParse(value.text);
    if (read.success) return read.data;
    const shown = setting.shown ? ` is ${show(value.text)}, but` : ' (value not shown)';
    errors.push(`${value.label}${shown} must be ${setting.form.allowed}; ${setting.hint}`);
    return undefined;
  };
  return {
    optional,
    orDefault: (setting) => optional(setting) ?? setting.form.schema.parse(setting.default),
    required(setting) {
      if (!given.values.has(setting.name)) {
        errors.push(`${setting.name} is not set and has no default: set it; ${setting.hint}`);
      }
      return optional(setting);
    },
    refuse(setting, why) {
      const { label, text } = given.values.get(setting.name) ?? {};
      errors.push(`${label ?? setting.name} is ${show(text ?? '')}: ${why}`);
    },
  };
}

/** Quoted, in one line; credentials and query of what looks like a URL are left out. */
export function show(text: string): string {
  const safe = text.replace(/\/\/[^/]*@/, '//…@').replace(/[?#].*/s, (rest) => `${rest[0]}…`);
  return JSON.stringify(safe.length > SHOWN_LENGTH ? `${safe.slice(0, SHOWN_LENGTH)}…` : safe);
}
