/** The sizes that Fargate has. The launcher knows them too: a wrong one should not get that far. */

const GIB = 1024;
/** By cores: least and most memory in MiB, and the steps between. */
const SIZES: ReadonlyMap<number, readonly [least: number, most: number, step: number]> = new Map([
  [0.5, [GIB, 4 * GIB, GIB]],
  [1, [2 * GIB, 8 * GIB, GIB]],
  [2, [4 * GIB, 16 * GIB, GIB]],
  [4, [8 * GIB, 30 * GIB, GIB]],
  [8, [16 * GIB, 60 * GIB, 4 * GIB]],
  [16, [32 * GIB, 120 * GIB, 8 * GIB]],
]);
/** The one whose steps are not even. */
const SMALLEST = { cpu: 0.25, memoryMiB: [GIB / 2, GIB, 2 * GIB] };

/** What to choose instead of a size that Fargate has not; null for one that it has. */
export function fargateAdvice(cpu: number, memoryMiB: number): string | null {
  if (cpu === SMALLEST.cpu) {
    const { memoryMiB: all } = SMALLEST;
    return all.includes(memoryMiB) ? null : `cpu ${cpu} with ${all.join(', ')} MiB`;
  }
  const size = SIZES.get(cpu);
  if (!size) return `a cpu of ${[SMALLEST.cpu, ...SIZES.keys()].join(', ')}`;
  const [least, most, step] = size;
  const fits = memoryMiB >= least && memoryMiB <= most && memoryMiB % step === 0;
  return fits ? null : `cpu ${cpu} with ${least} to ${most} MiB in steps of ${step}`;
}
