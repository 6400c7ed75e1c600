/** Figures of samples: pure. */

/** The middle sample, or the mean of the two middle ones; NaN of none. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** The least sample that 95 % do not exceed (nearest rank); NaN of none. */
export function p95(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Number.NaN;
}

/** What lies between one sample and the next greater one, the first `skipped` samples left out. */
export function steps(values, skipped) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.slice(skipped + 1).map((value, index) => value - sorted[skipped + index]);
}
