import type { Capabilities } from "../../../core/capabilities.ts";
import { digestOf, fitsPattern } from "./patterns.ts";

/** 130 bits: no two ids of one conversation meet. */
const DIGEST_LENGTH = 26;
/** What derived ids look like, first choice first. Mistral's are nine letters and digits. */
const FORMS: readonly ((digest: string) => string)[] = [
  (digest) => `call_${digest.slice(0, DIGEST_LENGTH)}`,
  (digest) => digest.slice(0, DIGEST_LENGTH),
  (digest) => digest.slice(0, 9),
];

/** The ids of the calls of one history, in order. */
export interface ToolIds {
  /** Undefined where the target's calls carry none. Ask once for each call. */
  next(given: string | undefined, name: string): string | undefined;
}

/**
 * Keeps an id that fits; derives one from it where it does not, from the call's place where it has
 * none or an earlier call has it: protocols.md §3.7. The next turn's history gives the same ids.
 */
export function toolIds(capabilities: Capabilities): ToolIds {
  const { toolIds: wanted, toolIdPattern: pattern } = capabilities;
  const taken = new Set<string>();
  let count = 0;
  return {
    next(given, name) {
      if (!wanted) return undefined;
      count += 1;
      let id = given ?? "";
      if (id === "") id = derived(`${count}\n${name}`, pattern);
      else if (pattern !== undefined && !fitsPattern(id, pattern)) id = derived(id, pattern);
      if (taken.has(id)) id = derived(`${count}\n${id}`, pattern);
      taken.add(id);
      return id;
    },
  };
}

function derived(seed: string, pattern: string | undefined): string {
  const digest = digestOf(seed);
  const ids = FORMS.map((form) => form(digest));
  return ids.find((id) => pattern === undefined || fitsPattern(id, pattern)) ?? ids[0]!;
}
