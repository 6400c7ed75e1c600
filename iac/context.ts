/**
 * What `cdk` is told on its command line or in cdk.json, as texts: read once, each with its form. A
 * key that nobody knows is a fault too, because a mistyped one would silently be a default.
 */
import type { Fault } from './checks.ts';

/** Every key, with what it is for. */
export const KEYS = [
  'livekitUrl',
  'livekitSecret',
  'webhookKeys',
  'agentImage',
  'agentDirectory',
  'agentTaskDefinition',
  'agentRoles',
  'agentSecrets',
  'agentRunner',
  'agentReadOnly',
  'cpu',
  'memoryMiB',
  'architecture',
  'standbys',
  'spot',
  'capacityProviders',
  'launcherImage',
  'vpc',
  'publicSubnets',
  'taskSubnets',
  'natGateways',
  'clusterArn',
  'certificate',
  'domainName',
  'hostedZone',
  'hostedZoneName',
  'gatewayDomainName',
  'alarmTopic',
  'ecsExec',
  'logRetention',
  'settings',
  'stackName',
] as const;
export type Key = (typeof KEYS)[number];

/** What is the CDK's own, `@aws-cdk/…` or `cli-telemetry`, or another app's: ours have no such form. */
const NOT_OURS = /[:@-]/;

export class Context {
  readonly faults: Fault[] = [];
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = new Map(Object.entries(values));
    const known: readonly string[] = KEYS;
    for (const key of this.#values.keys()) {
      const meant = KEYS.find((name) => name.toLowerCase() === plain(key));
      if (known.includes(key) || (!meant && NOT_OURS.test(key))) continue;
      const all = `known are ${KEYS.join(', ')}; it may stand in ~/.cdk.json, too`;
      const advice = meant ? `did you mean ${meant}?` : all;
      this.refuse(key, `is no key of this stack: ${advice}`);
    }
  }

  has(key: Key): boolean {
    return this.#given(key) !== undefined;
  }

  refuse(prop: string, why: string): undefined {
    this.faults.push({ prop, why });
    return undefined;
  }

  text(key: Key, form: RegExp, allowed: string): string | undefined {
    const text = this.#given(key);
    if (text === undefined || form.test(text)) return text;
    return this.refuse(key, `is "${text}": it must be ${allowed}`);
  }

  number(key: Key): number | undefined {
    const text = this.text(key, /^\d+(?:\.\d+)?$/, 'a number');
    return text === undefined ? undefined : Number(text);
  }

  flag(key: Key): boolean | undefined {
    const text = this.text(key, /^(?:true|false)$/, 'true or false');
    return text === undefined ? undefined : text === 'true';
  }

  /** Comma list; each of this form. */
  list(key: Key, form: RegExp, allowed: string): readonly string[] | undefined {
    const texts = this.#given(key)
      ?.split(',')
      .map((text) => text.trim());
    const odd = texts?.find((text) => !form.test(text));
    if (odd === undefined) return texts;
    return this.refuse(key, `has "${odd}": it must be a comma list, each ${allowed}`);
  }

  /** Comma list of `name=value`. */
  pairs(key: Key, value: RegExp, allowed: string): ReadonlyMap<string, string> | undefined {
    const form = new RegExp(`^\\w+=(?:${value.source})$`);
    const list = this.list(key, form, `NAME=${allowed}`);
    return list && new Map(list.map((pair) => [pair.split('=', 1)[0] ?? '', afterEquals(pair)]));
  }

  #given(key: Key): string | undefined {
    const value = this.#values.get(key);
    if (value === undefined || value === null || value === '') return undefined;
    return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

function plain(key: string): string {
  return key.replaceAll(/[-_]/g, '').toLowerCase();
}

function afterEquals(pair: string): string {
  return pair.slice(pair.indexOf('=') + 1);
}
