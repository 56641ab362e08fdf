import type { Fit } from "./fit.ts";

/** What another vendor calls the same tier, nearest first: protocols.md §3.1. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  default: ["standard", "standard_only"],
  standard: ["default", "standard_only"],
  standard_only: ["default", "standard"],
  priority: ["auto"],
};
/** What comes near it. */
const NEAR: Readonly<Record<string, readonly string[]>> = {
  fast: ["priority"],
  ultrafast: ["fast", "priority"],
  scale: ["priority"],
  reserved: ["priority"],
};

/** The target's word for the caller's service tier. */
export function fitTier(tier: string | undefined, fit: Fit): string | undefined {
  if (tier === undefined) return undefined;
  const { tiers } = fit.capabilities;
  if (tiers.includes(tier)) return tier;
  const same = knownOf(SAME, tier)?.find((word) => isMeant(word, fit));
  if (same !== undefined) return same;
  const near = knownOf(NEAR, tier)?.find((word) => tiers.includes(word));
  const action = near === undefined ? "dropped" : "approximated";
  fit.lose("L-TIER", fit.paths.tier, { action });
  return near;
}

/** Anthropic's `auto` is its priority tier where there is one; OpenAI's is the project's own. */
function isMeant(word: string, { capabilities, target }: Fit): boolean {
  return capabilities.tiers.includes(word) && (word !== "auto" || target === "anthropic");
}

function knownOf(
  words: Readonly<Record<string, readonly string[]>>,
  tier: string,
): readonly string[] | undefined {
  return Object.hasOwn(words, tier) ? words[tier] : undefined;
}
