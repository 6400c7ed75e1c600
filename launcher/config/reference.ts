/** All settings and all keys of a profile, as `serve --help` and docs/configuration.md show them. */
import {
  PROFILE_DESCRIPTIONS,
  type ProfileKey,
  REQUIRED,
  SETTING_DESCRIPTIONS,
  type SettingKey,
} from './descriptions.ts';
import { profileSchema } from './profile-fields.ts';
import type { DefaultedSetting, Setting } from './setting.ts';
import { CONFIG_FILE_SETTING, fileKeyOf, SETTINGS } from './settings.ts';

/** One row of a reference: a name, its key in the file, its default and what it is for. */
export interface ReferenceRow {
  readonly name: string;
  readonly fileKey: string;
  /** Markdown; empty where it is simply not set. */
  readonly unset: string;
  /** What is allowed, as errors say it. */
  readonly allowed: string;
  readonly about: string;
  /** It can come from the file that `<name>_FILE` names. */
  readonly secret: boolean;
}

/** Every setting, in the order of `SETTINGS`. */
export function settingRows(): ReferenceRow[] {
  return Object.entries(SETTINGS).map(([key, setting]: [string, Setting<unknown>]) => {
    const { about, unset } = SETTING_DESCRIPTIONS[key as SettingKey];
    const { name, secret, form } = setting;
    const fixed =
      'default' in setting ? `\`${(setting as DefaultedSetting<unknown>).default}\`` : '';
    return {
      name,
      fileKey: fileKeyOf(name),
      unset: unset ?? fixed,
      allowed: form.allowed,
      about,
      secret,
    };
  });
}

/** The two tables of docs/configuration.md: settings, then keys of a profile. */
export function configurationTables(): { readonly settings: string; readonly profiles: string } {
  const settings = settingRows().map(({ name, fileKey, unset, allowed, about, secret }) => [
    `\`${name}\`${secret ? ' (or `_FILE`)' : ''}`,
    `\`${fileKey}\``,
    unset,
    allowed,
    about,
  ]);
  const profiles = Object.keys(profileSchema.shape).map((key) => {
    const { unset = '', about } = PROFILE_DESCRIPTIONS[key as ProfileKey];
    return [`\`${key}\``, unset, about];
  });
  return {
    settings: table(['setting', 'in the file', 'default', 'what is allowed', ''], settings),
    profiles: table(['key', 'default', ''], profiles),
  };
}

const HELP_COLUMNS = 80;
const HELP_INDENT = '      ';

/** The settings as plain text, for `serve --help`. */
export function settingsHelp(): string {
  const all = settingRows().map(({ name, unset, about }) => {
    const otherwise =
      unset === '' ? '' : `; ${unset.startsWith(REQUIRED) ? '' : 'default: '}${unset}`;
    return `  ${name}\n${wrapped(`${about}${otherwise}`.replaceAll('`', ''))}`;
  });
  const head = `Settings, from the environment or the YAML file that ${CONFIG_FILE_SETTING} names:`;
  return ['', head, '', ...all].join('\n');
}

function wrapped(text: string): string {
  const lines = [HELP_INDENT];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    const longer = line === HELP_INDENT ? line + word : `${line} ${word}`;
    if (longer.length <= HELP_COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(HELP_INDENT + word);
  }
  return lines.join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(tableRow).join('\n');
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
