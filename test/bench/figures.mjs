/**
 * The samples of a run, as rows: `{ group, name, unit, values, runs?, note? }`, a row for each of
 * whom a group was measured; `runs` are the samples of each burst.
 */
export class Figures {
  #rows = new Map();

  /** Throws on what is no figure: a sample that failed is an error, not a gap. */
  add(group, name, unit, value) {
    if (!Number.isFinite(value)) throw new Error(`${name}: ${group} is ${value}`);
    this.#row(group, name, unit).values.push(value);
  }

  /** All samples of one burst. */
  addRun(group, name, unit, values) {
    for (const value of values) this.add(group, name, unit, value);
    const row = this.#row(group, name, unit);
    row.runs = [...(row.runs ?? []), values.toSorted((a, b) => a - b)];
  }

  /** Whole ones, that others have made. */
  addRows(rows) {
    for (const { group, name, unit, values, note } of rows) {
      for (const value of values) this.add(group, name, unit, value);
      if (note !== undefined) this.#row(group, name, unit).note = note;
    }
  }

  /** In the order in which they were begun. */
  rows() {
    return [...this.#rows.values()];
  }

  #row(group, name, unit) {
    const key = `${group}\n${name}`;
    const row = this.#rows.get(key) ?? { group, name, unit, values: [] };
    this.#rows.set(key, row);
    return row;
  }
}
