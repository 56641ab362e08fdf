import type { Fit } from "./fit.ts";
import { digestOf, fitsPattern } from "./patterns.ts";

const DIGEST_LENGTH = 8;
/** Short enough that a digest fits behind it on every wire. */
const STEM_LENGTH = 40;

/** The names of one request's tools on the target's wire. */
export interface ToolNames {
  /** The same name always gives the same one; no two names give one. */
  fit(name: string, path: string): string;
  /** By the wire's name, the caller's: only those that had to change. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** Fits names to the target's pattern. `known` are names that stay, so that none is taken twice. */
export function toolNames(known: readonly string[], fit: Fit): ToolNames {
  const pattern = fit.capabilities.toolNamePattern;
  const wireOf = new Map<string, string>();
  const renamed = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of known) if (fitsPattern(name, pattern)) taken.add(name);
  return {
    renamed,
    fit(name, path) {
      const before = wireOf.get(name);
      if (before !== undefined) return before;
      const fits = fitsPattern(name, pattern);
      const wire = fits ? name : fitted(name, { pattern, taken });
      wireOf.set(name, wire);
      taken.add(wire);
      if (!fits) {
        renamed.set(wire, name);
        fit.lose("L-TOOLNAME", path, { action: "approximated" });
      }
      return wire;
    },
  };
}

interface Fitting {
  readonly pattern: string;
  readonly taken: ReadonlySet<string>;
}

/** As like the caller's name as the pattern allows; nothing fits a pattern without letters. */
function fitted(name: string, { pattern, taken }: Fitting): string {
  const plain = name.replace(/[^A-Za-z0-9_]/gu, "_");
  const stem = plain.slice(0, STEM_LENGTH);
  const digest = digestOf(name);
  const short = digest.slice(0, DIGEST_LENGTH);
  const candidates = [plain, `_${plain}`, `${stem}_${short}`, `t_${stem}_${short}`, `t${digest}`];
  const isFree = (wire: string): boolean => fitsPattern(wire, pattern) && !taken.has(wire);
  return candidates.find(isFree) ?? `t_${stem}_${digest}`;
}
