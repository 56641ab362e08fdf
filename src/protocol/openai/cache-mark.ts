import type { Capabilities } from "../../core/capabilities.ts";
import type { CacheMark } from "../ir/block.ts";
import { compact, Fields } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { ownExt } from "./rest.ts";
import { spelled, spellingOf } from "./spelling.ts";

/** OpenAI's own mark, and the one OpenRouter and LiteLLM took over from Anthropic. */
const OWN = "prompt_cache_breakpoint";
const COMMON = "cache_control";
const KINDS: Readonly<Record<string, { readonly member: string; readonly value: string }>> = {
  [OWN]: { member: "mode", value: "explicit" },
  [COMMON]: { member: "type", value: "ephemeral" },
};

/** The cache mark of a part, a call, a tool or a message. */
export function readCacheMark(fields: Fields): CacheMark | undefined {
  for (const slot of [OWN, COMMON]) {
    const kind = KINDS[slot]!;
    const given = fields.peek(slot) as JsonObject | null | undefined;
    if (given?.[kind.member] !== kind.value) continue;
    const inner = new Fields(fields.object(slot)!);
    inner.skip(kind.member);
    const ttl = inner.text("ttl");
    return spelled({ ttl, ext: inner.ext("openai") }, { slot });
  }
  return undefined;
}

/** The member that marks what stands before it for the prompt cache. */
export function writeCacheMark(
  mark: CacheMark | undefined,
  capabilities: Capabilities,
): Record<string, JsonObject> {
  if (mark === undefined) return {};
  const slot = spellingOf(mark).slot ?? slotOf(capabilities);
  const { member, value } = KINDS[slot]!;
  return { [slot]: compact({ [member]: value, ttl: mark.ttl }, ownExt(mark)) };
}

/** Whether a call or a tool may carry a mark: OpenAI's own stands on parts of content only. */
export function marksAnything(mark: CacheMark, capabilities: Capabilities): boolean {
  return (spellingOf(mark).slot ?? slotOf(capabilities)) === COMMON;
}

/** Hosts whose models are Anthropic's say so by the lifetimes they know. */
function slotOf({ cacheTtls }: Capabilities): string {
  return cacheTtls.includes("5m") || cacheTtls.includes("1h") ? COMMON : OWN;
}
