/** What a bundle needs to know of the packages whose files it takes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Package extends Manifest {
  readonly folder: string;
}

const AGENTS = '@livekit/agents';
const DEPTH_MAX = 6;

/** Reads each package once. */
export class Packages {
  readonly #byFolder = new Map<string, Package | null>();
  readonly #addons = new Map<string, boolean>();

  /** The package that a file belongs to: the nearest package.json with a name. */
  of(file: string): Package | null {
    for (let found = this.#nearest(dirname(file)); found;) {
      if (found.name !== undefined) return found;
      found = this.#nearest(dirname(found.folder));
    }
    return null;
  }

  /** Whether Node takes a file for an ES module by its name, or by the nearest package.json. */
  isModule(file: string): boolean {
    if (/\.m[jt]s$/.test(file)) return true;
    return !/\.c[jt]s$/.test(file) && this.#nearest(dirname(file))?.type === 'module';
  }

  /**
   * Whether a package stays outside a bundle, whole: it brings a native addon, which is looked up by
   * places on the disk. One that uses agents-js must come in all the same, to share its one copy.
   */
  staysOutside(found: Package): boolean {
    const uses = { ...found.dependencies, ...found.peerDependencies };
    if (AGENTS in uses || found.name === AGENTS) return false;
    return this.#hasAddon(found.folder) || this.#choosesAddon(found);
  }

  /** Some packages have an addon per platform in packages of their own, all of them optional. */
  #choosesAddon({ folder, name = '', optionalDependencies = {} }: Package): boolean {
    // LiveKit's own choose by plain `require`, which a bundle follows.
    if (name.startsWith('@livekit/')) return false;
    return Object.keys(optionalDependencies).some((one) => {
      const installed = installedFrom(folder, one);
      return installed !== null && this.#hasAddon(installed);
    });
  }

  #hasAddon(folder: string): boolean {
    const known = this.#addons.get(folder) ?? hasAddon(folder, 0);
    this.#addons.set(folder, known);
    return known;
  }

  #nearest(folder: string): Package | null {
    const known = this.#byFolder.get(folder);
    if (known !== undefined) return known;
    const file = join(folder, 'package.json');
    const above = dirname(folder);
    const found: Package | null = existsSync(file)
      ? { ...(JSON.parse(readFileSync(file, 'utf8')) as Manifest), folder }
      : above === folder
        ? null
        : this.#nearest(above);
    this.#byFolder.set(folder, found);
    return found;
  }
}

function hasAddon(folder: string, depth: number): boolean {
  return readdirSync(folder, { withFileTypes: true }).some((one) => {
    if (!one.isDirectory()) return one.name.endsWith('.node');
    if (one.name === 'node_modules' || depth === DEPTH_MAX) return false;
    return hasAddon(join(folder, one.name), depth + 1);
  });
}

/** Where Node finds a package from a folder; it may export no file that could be resolved. */
function installedFrom(folder: string, name: string): string | null {
  const place = join(folder, 'node_modules', name);
  if (existsSync(place)) return place;
  const above = dirname(folder);
  return above === folder ? null : installedFrom(above, name);
}
