/** What docker is at, in the user's words, by its plain progress: `#12 [stage 3/4] RUN …`. */

const STAGES: readonly (readonly [RegExp, string])[] = [
  [/^agent-dependencies\b/, "installing your agent's dependencies"],
  [/^(?:installed|dependencies)\b/, "installing the runner's dependencies"],
  [/^(?:runner|packaged|built)\b/, 'putting the runner together'],
  [/^image\b/, "adding your agent's files"],
];

/** Null for a line that begins no step that a user would know. */
export function stepOf(line: string): string | null {
  if (/^#\d+ exporting to image/.test(line)) return 'writing the image';
  const stage = /^#\d+ \[([^\]]+)\]/.exec(line)?.[1];
  if (stage === undefined) return null;
  return STAGES.find(([pattern]) => pattern.test(stage))?.[1] ?? null;
}
