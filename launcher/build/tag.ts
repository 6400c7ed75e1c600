/** What Docker takes as the name of an image, by the grammar of distribution's references. */

const NAME_MAX_CHARS = 255;
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST = '[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?';
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const REFERENCE = new RegExp(`^((?:${HOST}/)?${PART}(?:/${PART})*)(?::${TAG})?$`);

/** Null for a name that an image can be given, else one line: what was given, what is allowed. */
export function tagProblem(tag: string): string | null {
  const name = REFERENCE.exec(tag)?.[1];
  if (name !== undefined && name.length <= NAME_MAX_CHARS) return null;
  return (
    `--tag is "${tag}", which is no image name: use [registry/]name[:tag], with a name of ` +
    'lower-case letters, digits, ".", "_", "-" and "/", as in my-agent:1'
  );
}
