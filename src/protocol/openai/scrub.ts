/** What messages of upstreams hold of their operator's account: protocols.md 6.2. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\bsk[-_][\w*.…-]{3,}/g, "[key]"],
  [/\b(?:gsk|xai|pplx|csk|nvapi|hf|tgp)[-_][\w*-]{16,}/g, "[key]"],
  [/\bAIza[\w*-]{4,}/g, "[key]"],
  [/\bBearer\s+\S+/g, "Bearer [key]"],
  // Keys quoted half hidden, as `****abcd` or `ab**********cd`.
  [/[\w-]{0,16}\*{3,}[\w*-]{0,16}/g, "[key]"],
  [/\borg[-_][\w-]+/g, "[organization]"],
  [/\bproj[-_][\w-]+/g, "[project]"],
  [/\bprojects\/[\w.:-]+/g, "projects/[project]"],
  [/\buser[-_](?=\w{0,40}\d)\w{12,}/g, "[user]"],
  [/\b\d{12}\b/g, "[account]"],
  [/[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}/g, "[address]"],
];

/** A message without the ids, keys and names that are the operator's own business. */
export function scrubbed(message: string): string {
  return SECRETS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), message);
}
