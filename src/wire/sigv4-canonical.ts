/** A request as it goes over the wire, to be signed or checked: AWS Signature Version 4. */
export interface SignableRequest {
  readonly method: string;
  /** The value of the host header, with its port where that is not the scheme's own. */
  readonly host: string;
  /** As sent, percent-encoding and all. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  /** Values of a name that is sent several times stand joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface PathRules {
  /** Every service but s3 encodes the path it is sent once more. */
  readonly service: string;
  /** Whether empty and dot segments are taken out first. Every service but s3 does. */
  readonly normalizePath?: boolean | undefined;
}

const RESERVED_LEFT = /[!'()*]/g;
const ESCAPE_OR_RESERVED = /%[0-9A-Fa-f]{2}|%|[^A-Za-z0-9\-._~%]+/g;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
const SPACES = /\s+/g;

/** The headers and the host by lower-case name, each value trimmed and with single spaces. */
export function canonicalHeaders({ headers, host }: SignableRequest): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    const spaced = value.replace(SPACES, " ").trim();
    const before = all.get(key);
    all.set(key, before === undefined ? spaced : `${before},${spaced}`);
  }
  return all.set("host", host.trim());
}

/**
 * The text whose hash is signed: AWS General Reference, "Create a canonical request". `names` are
 * the signed headers, sorted; undefined when one of them is not there.
 */
export function canonicalRequest(
  { method, path, query }: SignableRequest,
  parts: {
    readonly headers: ReadonlyMap<string, string>;
    readonly names: readonly string[];
    readonly payloadHash: string;
    readonly rules: PathRules;
  },
): string | undefined {
  let lines = "";
  for (const name of parts.names) {
    const value = parts.headers.get(name);
    if (value === undefined) return undefined;
    lines += `${name}:${value}\n`;
  }
  const target = `${canonicalPath(path, parts.rules)}\n${canonicalQuery(query)}`;
  return `${method}\n${target}\n${lines}\n${parts.names.join(";")}\n${parts.payloadHash}`;
}

/** Lower-case hex, as every hash of this protocol is written. */
export function sha256Hex(data: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(data).digest("hex");
}

function canonicalPath(path: string, { service, normalizePath }: PathRules): string {
  const isS3 = service === "s3";
  const plain = (normalizePath ?? !isS3) ? withoutDots(path) : path;
  if (plain === "") return "/";
  if (isS3) return plain.split("/").map(encodedOnce).join("/");
  return encoded(plain).replaceAll("%2F", "/");
}

/** RFC 3986 §5.2.4, and doubled slashes made one. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const last = segments.at(-1);
  const isFolder = kept.length > 0 && (last === "" || last === "." || last === "..");
  return `/${kept.join("/")}${isFolder ? "/" : ""}`;
}

/** Sorted by name and then by value, so `a-b` comes behind `a` though `-` stands before `=`. */
function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs: (readonly [string, string])[] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    pairs.push([encodedOnce(name), equals < 0 ? "" : encodedOnce(part.slice(equals + 1))]);
  }
  pairs.sort(([a, x], [b, y]) => order(a, b) || order(x, y));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

/** Encoded exactly once, whether it came encoded or not. */
function encodedOnce(text: string): string {
  return text.replace(ESCAPE_OR_RESERVED, (found) => {
    if (found.length !== 3 || !found.startsWith("%")) return encoded(found);
    const character = String.fromCharCode(Number.parseInt(found.slice(1), 16));
    return UNRESERVED.test(character) ? character : found.toUpperCase();
  });
}

/** Everything but RFC 3986's unreserved characters as UTF-8 in percent signs. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    RESERVED_LEFT,
    (left) => `%${left.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
