import type { DialectId } from "../core/ids.ts";
import { type HostKind, hostKind } from "./address.ts";

/** A URL with the kind of its host, or why it is refused. */
export type UrlRead =
  | { readonly ok: true; readonly url: URL; readonly host: HostKind }
  | { readonly ok: false; readonly reason: string; readonly fix: string };

/** What URL parsers skip or read in two ways: WHATWG URL, section 4.4, and RFC 3986. */
const AMBIGUOUS = /[\u0000-\u0020\u007f-\u00a0\\]/;

/**
 * Reads a base URL. The text is judged before it is parsed, because parsing repairs what should
 * be refused: tabs vanish, `\` becomes `/`, `http:/host` becomes `http://host`.
 */
export function readBaseUrl(text: string): UrlRead {
  const refusal = refuseText(text);
  if (refusal !== undefined) return { ok: false, ...refusal };
  const authority = text.slice(text.indexOf("//") + 2).split("/", 1)[0] ?? "";
  if (authority.includes("@")) {
    const fix = "put the key into api_key";
    return { ok: false, reason: "has a user name or password before the host", fix };
  }
  return parse(text);
}

/**
 * A base URL up to where its protocol's paths begin: Anthropic's and Cohere's paths bring their own
 * version, and people write it into the base URL too.
 */
export function trimVersion(url: URL, dialect: DialectId | undefined): void {
  if (dialect === "anthropic") url.pathname = url.pathname.replace(/\/v1$/, "");
  if (dialect === "cohere") url.pathname = url.pathname.replace(/\/v[12]$/, "");
}

/** Reads an egress proxy: as a base URL, but a user name and password may stand in it. */
export function readProxyUrl(text: string): UrlRead {
  const refusal = refuseText(text);
  return refusal === undefined ? parse(text) : { ok: false, ...refusal };
}

/** Reads a webhook: as a base URL, but with a query; and plain http to no public address. */
export function readWebhookUrl(text: string): UrlRead {
  const [base = "", ...query] = text.split("?");
  const read = AMBIGUOUS.test(text) ? readBaseUrl(text) : readBaseUrl(base);
  if (!read.ok) return read;
  if (read.url.protocol === "http:" && read.host === "public") {
    const reason = "plain http would carry names and amounts in the clear";
    return { ok: false, reason, fix: "use https" };
  }
  if (query.length > 0) read.url.search = query.join("?");
  return read;
}

function refuseText(text: string): { reason: string; fix: string } | undefined {
  if (text === "") return { reason: "is empty", fix: "give it a value, or remove the line" };
  if (AMBIGUOUS.test(text)) {
    const reason = "has a space, tab, line break or backslash in it";
    return { reason, fix: "write it plainly: https://host/path" };
  }
  if (!/^https?:\/\/[^/]/i.test(text)) {
    return { reason: "is not an http or https URL", fix: "begin with https:// or http://" };
  }
  if (text.includes("?")) {
    return { reason: "has a query (?…)", fix: "end it before the ?" };
  }
  return text.includes("#")
    ? { reason: "has a fragment (#…)", fix: "end it before the #" }
    : undefined;
}

function parse(text: string): UrlRead {
  const url = URL.parse(text);
  if (url === null || url.hostname === "") {
    return { ok: false, reason: "is not a URL", fix: "write it as https://host/path" };
  }
  const host = hostKind(url.hostname);
  if (host === "metadata") {
    const reason = "points at a cloud's metadata service, which hands out credentials";
    return { ok: false, reason, fix: "name the host of the provider" };
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  return { ok: true, url, host };
}
