import type { Diagnostic } from "./config.ts";
import { nearest } from "./nearest.ts";
import { type Path, quote, say } from "./path.ts";

/** What the parts of resolve find on their way. */
export interface Findings {
  readonly errors: Diagnostic[];
  readonly warnings: Diagnostic[];
  readonly notActive: string[];
  /** Where a value came from that the file does not give: a flag, a variable, the catalogue. */
  readonly origins: Map<string, string>;
}

/** Nothing found yet. */
export function noFindings(): Findings {
  return { errors: [], warnings: [], notActive: [], origins: new Map() };
}

/** One diagnostic. `path` may be said already, when it is no place in the file. */
export function finding(path: Path | string, reason: string, fix: string): Diagnostic {
  return { path: typeof path === "string" ? path : say(path), reason, fix };
}

/** The error of a reference to something that is not there. */
export function unknownName(
  path: Path,
  { kind, name, known }: { kind: string; name: string | undefined; known: readonly string[] },
): Diagnostic {
  // A name that came from the environment is not repeated: it may not be a name at all.
  const reason = name === undefined ? `there is no such ${kind}` : `no ${kind} ${quote(name)}`;
  const near = name === undefined ? undefined : nearest(name, known);
  if (near !== undefined) return finding(path, reason, `did you mean ${near}?`);
  const list = known.length === 0 ? "none is configured" : `configured: ${known.join(", ")}`;
  return finding(path, reason, `name a configured ${kind} (${list})`);
}
