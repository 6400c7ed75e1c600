/**
 * Reduces ./package.json to the dependencies named as arguments, so that `npm ci` installs for an
 * image what its own part needs, in the versions of the lock file. A list of what to keep, not of
 * what to drop: a new dependency gets into an image only when somebody says so.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const wanted = process.argv.slice(2);
const { name, version, type, ...given } = JSON.parse(readFileSync('package.json', 'utf8'));
const missing = wanted.filter(
  (one) => !(one in given.dependencies) && !(one in given.devDependencies),
);
if (missing.length > 0) throw new Error(`not in package.json: ${missing.join(', ')}`);

const kept = (all) =>
  Object.fromEntries(Object.entries(all).filter(([one]) => wanted.includes(one)));
const dependencies = kept(given.dependencies);
const devDependencies = kept(given.devDependencies);
const reduced = { name, version, private: true, type, dependencies, devDependencies };
writeFileSync('package.json', `${JSON.stringify(reduced, null, 2)}\n`);
