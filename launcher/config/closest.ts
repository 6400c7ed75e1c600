/** "Did you mean": the known name that a mistyped one is closest to. */

/** Single-character edits up to which a name counts as mistyped. */
const MAX_EDITS = 3;

/** Null when none is close. */
export function closest(name: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let fewest = MAX_EDITS + 1;
  for (const candidate of known) {
    const distance = edits(name.toLowerCase(), candidate.toLowerCase());
    if (distance < fewest) [best, fewest] = [candidate, distance];
  }
  return best;
}

/** Insertions, removals and replacements that lead from `a` to `b` (Levenshtein distance). */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, char] of Array.from(a).entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (b[j - 1] === char ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What to do about an unknown name; `list` says where the known ones are. */
export function adviceOn(meant: string | null, list: string): string {
  return meant === null ? `remove it; ${list}` : `did you mean ${meant}?`;
}
