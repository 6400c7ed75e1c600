/** A part that tests need, which this machine lacks and cannot be given; `message` says what helps. */
export class PartMissing extends Error {
  name = 'PartMissing';
}
