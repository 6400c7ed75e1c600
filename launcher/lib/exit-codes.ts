/** How `room-launcher` ends, whatever the command. */

export const EXIT_OK = 0;
/** It could not be done: no launcher answers, there is no such room, … */
export const EXIT_FAILED = 1;
/** As sysexits(3) has it: the command was used incorrectly, or its settings cannot be used. */
export const EXIT_USAGE = 64;
/** As a shell reports a Ctrl-C: 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130;
