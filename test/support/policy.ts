/**
 * Policies of a template as IAM would see them: names in place of references, and the rules that
 * decide about a request, as far as our statements use them.
 */

export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Request {
  readonly action: string;
  readonly resource: string;
  /** Keys of conditions, with their values in this request. */
  readonly context: Readonly<Record<string, string>>;
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

interface Place {
  readonly account: string;
  readonly region: string;
}

/** Statements of each role by its name. Names are logical ids without their hash. */
export function resolved(
  template: Readonly<Record<string, unknown>>,
  place: Place,
): ReadonlyMap<string, readonly Statement[]> {
  const resources = template['Resources'] as Readonly<Record<string, Resource>>;
  const names = new Map<string, readonly Statement[]>();
  for (const { Type, Properties = {} } of Object.values(resources)) {
    if (Type !== 'AWS::IAM::Policy') continue;
    const value = (raw: unknown) => textOf(raw, resources, place);
    const { Statement: raw } = Properties['PolicyDocument'] as { Statement: RawStatement[] };
    const statements = raw.map((statement) => toStatement(statement, value));
    for (const role of Properties['Roles'] as unknown[]) {
      names.set(value(role), [...(names.get(value(role)) ?? []), ...statements]);
    }
  }
  return names;
}

/** Does one of them allow it? There is none that denies. */
export function allows(statements: readonly Statement[], request: Request): boolean {
  return statements.some(
    ({ actions, resources, conditions }) =>
      actions.some((action) => matches(action, request.action)) &&
      resources.some((resource) => matches(resource, request.resource)) &&
      Object.entries(conditions).every(([operator, keys]) =>
        Object.entries(keys).every(([key, wanted]) => {
          const is = request.context[key];
          if (is === undefined) return false;
          return operator === 'ArnEquals' ? matches(wanted, is) : wanted === is;
        }),
      ),
  );
}

interface RawStatement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function toStatement(raw: RawStatement, value: (raw: unknown) => string): Statement {
  if (raw.Effect !== 'Allow') throw new Error(`a statement has the effect ${raw.Effect}`);
  const conditions = Object.entries(raw.Condition ?? {}).map(([operator, keys]) => {
    if (!['ArnEquals', 'StringEquals'].includes(operator)) throw new Error(`unread: ${operator}`);
    const values = Object.entries(keys).map(([key, wanted]) => [key, value(wanted)] as const);
    return [operator, Object.fromEntries(values)] as const;
  });
  return {
    actions: [raw.Action].flat(),
    resources: [raw.Resource].flat().map(value),
    conditions: Object.fromEntries(conditions),
  };
}

/** `*` is any text, as in IAM. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

/** What CloudFormation would put in place of it. */
function textOf(raw: unknown, resources: Readonly<Record<string, Resource>>, place: Place): string {
  if (typeof raw === 'string') return raw;
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::Partition': 'aws',
    'AWS::Region': place.region,
    'AWS::AccountId': place.account,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const arn = (id: string) => {
    const { Type = '' } = resources[id] ?? {};
    const { region, account } = place;
    const forms: Readonly<Record<string, string>> = {
      'AWS::ECS::Cluster': `arn:aws:ecs:${region}:${account}:cluster/${name(id)}`,
      'AWS::IAM::Role': `arn:aws:iam::${account}:role/${name(id)}`,
      'AWS::Logs::LogGroup': `arn:aws:logs:${region}:${account}:log-group:${name(id)}:*`,
      'AWS::SQS::Queue': `arn:aws:sqs:${region}:${account}:${name(id)}`,
      'AWS::SecretsManager::Secret': `arn:aws:secretsmanager:${region}:${account}:secret:${name(id)}`,
    };
    const form = forms[Type];
    if (form === undefined) throw new Error(`no form for the ARN of ${id}, ${Type}`);
    return form;
  };
  const part = (inner: unknown) => textOf(inner, resources, place);
  const [[intrinsic, value] = []] = Object.entries(raw as Readonly<Record<string, unknown>>);
  if (intrinsic === 'Fn::GetAtt') return arn((value as [string])[0]);
  if (intrinsic === 'Fn::Join') {
    const [separator, parts] = value as [string, unknown[]];
    return parts.map(part).join(separator);
  }
  if (intrinsic === 'Ref' && typeof value === 'string') {
    if (pseudo[value] !== undefined) return pseudo[value];
    return resources[value]?.Type === 'AWS::SecretsManager::Secret' ? arn(value) : name(value);
  }
  throw new Error(`what is ${JSON.stringify(raw)}?`);
}

/** Without its hash. */
function name(id: string): string {
  return id.replace(/[0-9A-F]{8}$/, '');
}
