/** `npm run docs`: writes the tables of docs/configuration.md anew, from the settings as they are. */
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTables } from '../dist/launcher/config/reference.js';
import { withTables } from './docs-tables.mjs';

const page = new URL('../docs/configuration.md', import.meta.url);
writeFileSync(page, await withTables(readFileSync(page, 'utf8'), configurationTables()));
