/**
 * What of a package never enters an image: what is installed anew there, the history, and what may
 * hold secrets. An image is pushed to registries and read by whoever pulls it; a file that was left
 * out by mistake shows at once, one that got in by mistake does not.
 */

const NOISE = /^(?:node_modules|\.git|\.ds_store)$/i;

/** By the name of a file or folder, anywhere in the package. */
const SECRET: readonly RegExp[] = [
  /^\.env(?:rc)?(?:$|[.\-_])/i,
  /\.env$/i,
  /^\.?(?:npmrc|yarnrc|yarnrc\.yml|netrc|pypirc|pgpass|htpasswd|git-credentials)$/i,
  /^\.(?:ssh|aws|azure|gcloud|gnupg|docker|kube|secrets?)$/i,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg)$/i,
  /^id_(?:rsa|dsa|ecdsa|ed25519)/i,
  /^(?:secrets?|credentials?)(?:\.(?:json|ya?ml|txt|toml))?$/i,
  /^service[-_]?account.*\.json$/i,
];

/** Why a file or folder of this name is left out; null: it is taken. */
export function whyLeftOut(name: string): 'noise' | 'secret' | null {
  if (NOISE.test(name)) return 'noise';
  return SECRET.some((pattern) => pattern.test(name)) ? 'secret' : null;
}

/**
 * The patterns of a package's own .dockerignore, as they read for the folder of the context that
 * holds the package's files.
 */
export function dockerIgnoreBelow(folder: string, text: string): string {
  const below = (line: string): string[] => {
    const negated = line.startsWith('!');
    const pattern = (negated ? line.slice(1) : line).trim().replace(/^(?:\.?\/)+/, '');
    return pattern === '' || pattern === '.' ? [] : [`${negated ? '!' : ''}${folder}/${pattern}`];
  };
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('#'));
  return lines.flatMap((line) => below(line).map((one) => `${one}\n`)).join('');
}
