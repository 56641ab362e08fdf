import type { Given } from "./env.ts";
import type { Findings } from "./findings.ts";

/** One setting, and everything that has a say in it. */
export interface Choice<T> {
  readonly path: string;
  readonly override?: Given<T> | undefined;
  readonly given: T | undefined;
  readonly otherwise: T;
}

/** The first of: flag or variable, file, default. Where it is not the file's is written down. */
export function choose<T>({ path, override, given, otherwise }: Choice<T>, findings: Findings): T {
  if (override !== undefined) {
    findings.origins.set(path, override.by);
    return override.value;
  }
  if (given !== undefined) return given;
  findings.origins.set(path, "default");
  return otherwise;
}
