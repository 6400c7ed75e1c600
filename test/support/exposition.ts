/** Prometheus' text format, read back. */

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Names of labels that its samples have, `le` left out. */
  readonly labels: readonly string[];
}

/** Values by series, as they are written: `name{label="value"}`. Times are not read. */
export function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** The metrics that a text declares. */
export function familiesOf(text: string): Family[] {
  const series = [...samplesOf(text).keys()];
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => {
      const own = series.filter((each) => baseName(each.replace(/\{.*/, '')) === baseName(name));
      const labels = own.flatMap((each) =>
        [...each.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label),
      );
      return { name, type, help, labels: [...new Set(labels)].filter((label) => label !== 'le') };
    },
  );
}

/** Without what a histogram adds to its name. */
export function baseName(series: string): string {
  return series.replace(/_(bucket|sum|count)$/, '');
}
