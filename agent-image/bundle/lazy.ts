/**
 * What agents-js loads at its start and few agents ever use, put off until it is used: an image
 * library (about 40 ms and 12 MB), and tables that split English words (15 ms).
 */

interface Lazy {
  /** The files that have the import: of agents-js, or any. */
  readonly importer: RegExp;
  readonly imports: string;
  /** The one name that is imported. */
  readonly name: string;
}

const LAZY: readonly Lazy[] = [
  // Its addon keeps it outside, whoever imports it.
  { importer: /(?:)/, imports: 'sharp', name: 'default' },
  {
    importer: /@livekit\/agents\/dist\/tokenize\/basic\/basic\.js$/,
    imports: './hyphenator.js',
    name: 'hyphenator',
  },
];

/** The name to put off when `importer` imports `path`; null: it is loaded as written. */
export function lazyName(importer: string, path: string): string | null {
  return LAZY.find((one) => one.imports === path && one.importer.test(importer))?.name ?? null;
}

/** A module that stands for `file`: its export `name` loads the file when something is done with it. */
export function lazyModule(file: string, name: string): string {
  const value =
    name === 'default' ? '(module.default ?? module)' : `module[${JSON.stringify(name)}]`;
  return `
let loaded;
function load() {
  const module = require(${JSON.stringify(file)});
  return (loaded ??= ${value});
}
const stand = new Proxy(function () {}, {
  get(_, key) {
    const value = load()[key];
    return typeof value === 'function' ? value.bind(loaded) : value;
  },
  apply: (_, self, args) => Reflect.apply(load(), self, args),
  construct: (_, args) => Reflect.construct(load(), args),
});
export { stand as ${name} };
`;
}
