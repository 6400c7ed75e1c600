/** What is known of one setting, and how one is declared. */
import type { Form } from './values.ts';

export interface Setting<T> {
  readonly name: string;
  readonly form: Form<T>;
  /** Part of the error line: what the value is for, or what to do. */
  readonly hint: string;
  /** It can also come from the file that `<name>_FILE` names, and its value is never shown. */
  readonly secret: boolean;
  /** Whether an error may show its value. */
  readonly shown: boolean;
}

/** A setting that is something else where nobody sets it. */
export interface DefaultedSetting<T> extends Setting<T> {
  /** As one would write it. */
  readonly default: string;
}

/** Its value may be shown. */
export function open<T>(name: string, form: Form<T>, hint: string): Setting<T> {
  return { name, form, hint, secret: false, shown: true };
}

/** A secret: it can come from a file, and is never shown. */
export function hidden<T>(name: string, form: Form<T>, hint: string): Setting<T> {
  return { name, form, hint, secret: true, shown: false };
}

export function defaulted<T>(
  name: string,
  value: string,
  form: Form<T>,
  hint: string,
): DefaultedSetting<T> {
  return { ...open(name, form, hint), default: value };
}
