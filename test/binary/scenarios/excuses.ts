import type { View } from "./ask.ts";

/** In what a body may differ from what was asked, for each loss that is reported. */
const EXCUSES: Readonly<Record<string, RegExp>> = {
  "L-TOOLNAME": /^tools/,
  "L-MAXTOK-DEFAULT": /^max$/,
  "L-THINK-ADJUST": /^max$/,
  "L-REASONING-ASK": /^thinks$/,
  "L-LOGPROBS": /^logprobs$/,
  "L-STOP-EMULATED": /^stop/,
  "L-CACHE": /\.isCached$/,
  "L-ISERROR": /\.results\[\d\]\.(?:text|isError)$/,
  "L-TOOLIMG-MOVED": /\.images|\.results\[\d\]\.text$/,
};

/** Where what was sent is not what was asked, and no reported loss says why. */
export function unexcused(asked: View, sent: View, losses: readonly string[]): string[] {
  const [before, after] = [leavesOf(asked), leavesOf(sent)];
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => before.get(path) !== after.get(path))
    .filter((path) => !losses.some((code) => EXCUSES[code]?.test(path)))
    .map((path) => `${path}: ${before.get(path)} became ${after.get(path)}`);
}

function leavesOf(value: unknown, path = ""): Map<string, string> {
  if (Array.isArray(value)) {
    const inner = value.flatMap((each, index) => [...leavesOf(each, `${path}[${index}]`)]);
    return new Map([...inner, [`${path}.length`, String(value.length)]]);
  }
  if (typeof value !== "object" || value === null || path === "schema") {
    return new Map([[path, JSON.stringify(value) ?? "nothing"]]);
  }
  const members = Object.entries(value);
  return new Map(
    members.flatMap(([name, each]) => [...leavesOf(each, path === "" ? name : `${path}.${name}`)]),
  );
}
