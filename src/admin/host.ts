/** The verdict on a `Host` header. */
export type HostVerdict = "ok" | "malformed" | "not_allowed";

/**
 * Whether a request meant this listener. A page on a hostile name that resolves to loopback (DNS
 * rebinding) carries its own name in `Host`; an address or `localhost` cannot be such a name.
 */
export function checkHost(header: string | null, allowed: readonly string[]): HostVerdict {
  // Two Host headers arrive joined by a comma, which no pattern below lets through.
  const match = header === null ? null : HOST.exec(header);
  if (!match) return "malformed";
  const name = (match[1] ?? "").toLowerCase();
  if (name === "localhost" || IPV4.test(name) || name.startsWith("[")) return "ok";
  return allowed.some((one) => one.toLowerCase() === name) ? "ok" : "not_allowed";
}

/** `uri-host [":" port]` (RFC 9110 §7.2), of the kinds that can be one of ours. */
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)(?::\d{0,5})?$/i;
/** No public name ends in an all-digit label, so this needs no range check. */
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
