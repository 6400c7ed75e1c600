/** What stops a build and the user can mend, with the command's exit code. */

export const EXIT = {
  built: 0,
  /** A step failed: compiling, docker, or the agent's own code at import. */
  failed: 1,
  /** What was given cannot work: the tag, the file, its package. As sysexits(3) has it. */
  usage: 64,
  /** As a shell reports a Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
} as const;

export class BuildProblem extends Error {
  override readonly name = 'BuildProblem';
  readonly code: number;
  /** What the failed step said, for the user to read. */
  readonly output: string;

  constructor(code: number, message: string, output = '') {
    super(message);
    this.code = code;
    this.output = output;
  }
}

export function usage(message: string): BuildProblem {
  return new BuildProblem(EXIT.usage, message);
}
