/** What names an account, or is a piece of a credential, in Google's messages. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\bprojects\/[\w.:-]+/g, "projects/…"],
  [/\bproject(_number)?([ :=]+)['"`]?[\w.-]*\d[\w.-]*['"`]?/gi, "project$1$2…"],
  [/\bproject=[\w.:-]+/g, "project=…"],
  [/\b[\w.-]{1,100}@[\w.-]{1,100}\.gserviceaccount\.com/g, "…"],
  [/\bAIz[\w-]{8,}/g, "…"],
  [/\bya29\.[\w.-]+/g, "…"],
  [/\bsk-[\w*.-]{4,}/g, "…"],
  [/\borg-[\w-]{4,}/g, "…"],
];

/** A message without what its host said of our account: protocols.md §6.2. */
export function scrubbed(message: string): string {
  return SECRETS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), message);
}
