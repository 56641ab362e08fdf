import type { CacheMark } from "../../ir/block.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";

/** As many as Anthropic and Bedrock take: protocols.md §3.11. */
const MARKS_MAX = 4;

/** What other vendors call about the same lifetime; an empty word is the target's usual one. */
const SAME: Readonly<Record<string, string>> = { "5m": "", "1h": "30m", "30m": "5m", "12h": "1h" };

/** Lets the last few marks of a request through, in the target's words. */
export class CacheMarks {
  readonly #fit: Fit;
  /** How many of the first must go. */
  #surplus: number;

  constructor(fit: Fit, count: number) {
    this.#fit = fit;
    this.#surplus = count - MARKS_MAX;
  }

  /** The mark for the target; undefined when later ones take its place. */
  take(mark: CacheMark | undefined, path: string): CacheMark | undefined {
    if (mark === undefined) return undefined;
    this.#surplus -= 1;
    return this.#surplus >= 0 ? this.lose(path) : fitMark(mark, path, this.#fit);
  }

  lose(path: string): undefined {
    this.#fit.lose("L-CACHE", path);
  }
}

function fitMark(mark: CacheMark, path: string, fit: Fit): CacheMark {
  const { ttl, ext } = dropExt(mark, { kind: "mark", path, fit });
  const { cacheTtls } = fit.capabilities;
  if (ttl === undefined || cacheTtls.includes(ttl)) return { ttl, ext };
  const same = Object.hasOwn(SAME, ttl) ? SAME[ttl] : undefined;
  fit.lose("L-CACHE-TTL", path, { action: "approximated" });
  return { ttl: same !== undefined && cacheTtls.includes(same) ? same : undefined, ext };
}
