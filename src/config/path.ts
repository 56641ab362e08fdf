/** A place in the file: names of mappings and numbers of list entries. */
export type Path = readonly (string | number)[];

const PLAIN = /^[A-Za-z0-9_-]{1,80}$/;
const NAME_LENGTH_MAX = 80;

/** A path as a person would say it: `routing.rules[0].condition`, `models."gpt-4.1".provider`. */
export function say(path: Path): string {
  let out = "";
  for (const part of path) {
    if (typeof part === "number") out += `[${part}]`;
    else out += (out === "" ? "" : ".") + (PLAIN.test(part) ? part : quote(part));
  }
  return out === "" ? "(the whole file)" : out;
}

/** A name the operator wrote, in quotes, cut when long; control characters come out escaped. */
export function quote(name: string): string {
  const cut = name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name;
  return JSON.stringify(cut);
}
