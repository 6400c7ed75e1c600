/** JSX as text. No component of ours waits for anything, so that it is there at once. */
export function htmlOf(element: { toString(): string }): string {
  return element.toString();
}
