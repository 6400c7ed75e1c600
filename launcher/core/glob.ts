/**
 * Matches room names against the globs of profiles: `*` is any text, also none, `?` one character,
 * all else is itself; upper and lower case differ.
 *
 * Room names are chosen by whoever opens a room, so a match takes at most (length of the glob) x
 * (length of the name) steps, whatever the two are.
 */

/** Does the whole name match the whole glob? */
export function globMatches(glob: string, name: string): boolean {
  const pattern = Array.from(glob);
  const text = Array.from(name);
  let at = 0;
  // Where the newest star is, and the first character that it does not cover yet.
  let star = -1;
  let uncovered = 0;
  for (let i = 0; i < text.length;) {
    if (pattern[at] === '*') {
      star = at;
      uncovered = i;
      at += 1;
    } else if (pattern[at] === '?' || pattern[at] === text[i]) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      uncovered += 1;
      i = uncovered;
      at = star + 1;
    } else return false;
  }
  return pattern.slice(at).every((char) => char === '*');
}
