const HIDDEN = "[redacted]";

/** Organisations and workspaces are UUIDs here; the other forms come through hosts and relays. */
const SECRETS: readonly RegExp[] = [
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b(?:sk|pk|org|proj|wrkspc|key)[-_][A-Za-z0-9*._-]{6,}/g,
  /\bprojects\/[A-Za-z0-9._-]+/g,
  /\b\d{12}\b/g,
];

/** A message without what names an account or a key: protocols.md 6.2, last rule. */
export function scrub(message: string): string {
  return SECRETS.reduce((text, secret) => text.replace(secret, HIDDEN), message);
}
