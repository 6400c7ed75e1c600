/**
 * The part of docs/configuration.md that is made from the settings: what stands between
 * `<!-- settings -->` and `<!-- /settings -->`, and the same for `profiles`.
 */
import { format } from 'prettier';

/**
 * The page with these tables in it, formatted as all files here are. Throws when the page lacks the
 * place for one.
 * @param {string} page
 * @param {Readonly<Record<string, string>>} tables Markdown by the name of its place
 * @returns {Promise<string>}
 */
export function withTables(page, tables) {
  let text = page;
  for (const [name, table] of Object.entries(tables)) {
    const place = new RegExp(`(?<=<!-- ${name} -->\n).*?(?=<!-- /${name} -->)`, 's');
    if (!place.test(text)) throw new Error(`the page has no <!-- ${name} --> … <!-- /${name} -->`);
    text = text.replace(place, () => `\n${table}\n\n`);
  }
  return format(text, { parser: 'markdown' });
}
