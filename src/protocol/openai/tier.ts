/** Words for a tier that callers of this wire know, by the words other protocols have for it. */
const TIERS: ReadonlyMap<string, string> = new Map([
  ["default", "default"],
  ["standard", "default"],
  ["flex", "flex"],
  ["priority", "priority"],
  ["scale", "scale"],
  ["fast", "fast"],
]);

/** The tier an answer was served in; undefined where this wire has no word for it. */
export function tierOf(tier: string | undefined): string | undefined {
  return TIERS.get(tier ?? "");
}
