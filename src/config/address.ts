import type { Leaf } from "./leaves.ts";

/** What kind of host a URL names, as far as its text alone can tell. */
export type HostKind = "loopback" | "private" | "metadata" | "public" | "name";

/** Eight 16-bit groups; an IPv4 address is held as IPv4-mapped (RFC 4291, section 2.5.5.2). */
type Groups = readonly number[];
const GROUPS = 8;

/**
 * Where clouds serve credentials to whoever asks, by the vendors' own documentation: AWS
 * (EC2, ECS, EKS), Google, Azure, Oracle, Alibaba, Tencent, Scaleway, OpenStack.
 */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(
  [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.0.23",
    "169.254.42.42",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "fe80::a9fe:a9fe",
  ].map((text) => keyOf(parseAddress(text))),
);
const METADATA_NAMES: ReadonlySet<string> = new Set([
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "metadata.azure.internal",
  "metadata.tencentyun.com",
  "instance-data",
  "instance-data.ec2.internal",
]);

/**
 * Whether an address is loopback, RFC 1918, unique local or link-local, so that a `local` backend
 * may stand there. Metadata services are not, whatever range they sit in; nor is a host name.
 */
export function isPrivateAddress(text: string): boolean {
  const groups = parseAddress(text);
  return groups !== undefined && !isMetadata(groups) && isPrivate(groups);
}

/**
 * Whether an address is one of the open internet: no machine's own, no network's own, nobody's at
 * all, and no such one wrapped for a translator (IANA's special-purpose registries).
 */
export function isPublicAddress(text: string): boolean {
  const groups = parseAddress(text);
  if (groups === undefined || isMetadata(groups) || !isGlobal(groups)) return false;
  const inner = embedded(groups);
  return inner === undefined || isGlobal(inner);
}

/** Whether an address is a cloud's metadata service, also wrapped in IPv6. */
export function isMetadataAddress(text: string): boolean {
  const groups = parseAddress(text);
  return groups !== undefined && isMetadata(groups);
}

/** Whether only this machine can reach a listener or a host of that name. */
export function isLoopbackHost(host: string): boolean {
  return hostKind(host) === "loopback";
}

/** Judges the host of a URL, which `URL` has brought into canonical form before. */
export function hostKind(host: string): HostKind {
  const name = bareHost(host);
  const groups = parseAddress(name);
  if (groups === undefined) {
    if (METADATA_NAMES.has(name)) return "metadata";
    // RFC 6761, section 6.3: nothing else may answer for these names.
    return name === "localhost" || name.endsWith(".localhost") ? "loopback" : "name";
  }
  if (isMetadata(groups)) return "metadata";
  if (isLoopback(groups)) return "loopback";
  return isPrivate(groups) ? "private" : "public";
}

/** A host without IPv6 brackets and final dots, in lower case. */
export function bareHost(host: string): string {
  const open = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  let end = open.length;
  while (end > 0 && open[end - 1] === ".") end--;
  return open.slice(0, end).toLowerCase();
}

/** Whether a text is an IP address, written the one way all readers agree on. */
export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

/** An IP address or a CIDR range. */
export const network: Leaf<string> = {
  expected: "an IP address or a CIDR range",
  read(value) {
    if (typeof value !== "string") return undefined;
    const [address = "", bits, ...rest] = value.split("/");
    const wide = address.includes(":") ? 128 : 32;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= wide);
    return parseAddress(address) !== undefined && fits && rest.length === 0 ? value : undefined;
  },
};

function isPrivate(groups: Groups): boolean {
  const [first = 0] = groups;
  if (isMapped(groups)) {
    const [a, b] = [(groups[6] ?? 0) >> 8, (groups[6] ?? 0) & 0xff];
    if (a === 10 || a === 127) return true; // RFC 1918; RFC 1122, section 3.2.1.3
    if (a === 172) return b >= 16 && b <= 31;
    return (a === 192 && b === 168) || (a === 169 && b === 254); // RFC 1918; RFC 3927
  }
  if (isLoopback(groups)) return true;
  return (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80; // RFC 4193; RFC 4291, 2.5.6
}

/** RFC 1122, 6598 and 5771; RFC 4291, 2.5.2, 2.5.7 and 2.7: what is neither ours nor anybody's. */
function isGlobal(groups: Groups): boolean {
  if (isPrivate(groups)) return false;
  if (!isMapped(groups)) {
    const [first = 0] = groups;
    const isSite = (first & 0xffc0) === 0xfec0; // RFC 3879: deprecated, and a network's own.
    return !isSite && (first & 0xff00) !== 0xff00 && groups.some((group) => group !== 0);
  }
  const [a, b] = [(groups[6] ?? 0) >> 8, (groups[6] ?? 0) & 0xff];
  return a !== 0 && a < 224 && !(a === 100 && b >= 64 && b <= 127);
}

function isLoopback(groups: Groups): boolean {
  if (isMapped(groups)) return (groups[6] ?? 0) >> 8 === 127;
  return groups.every((group, at) => group === (at === GROUPS - 1 ? 1 : 0));
}

function isMetadata(groups: Groups): boolean {
  return METADATA_ADDRESSES.has(keyOf(groups)) || METADATA_ADDRESSES.has(keyOf(embedded(groups)));
}

/** The IPv4 address that a translator would take out of an IPv6 one, as mapped groups. */
function embedded(groups: Groups): Groups | undefined {
  const [a = 0, b = 0, c = 0, , , , g = 0, h = 0] = groups;
  const mapped = (high: number, low: number) => [0, 0, 0, 0, 0, 0xffff, high, low];
  if (a === 0x2002) return mapped(b, c); // 6to4, RFC 3056
  if (a === 0x64 && b === 0xff9b) return mapped(g, h); // NAT64, RFC 6052
  const zeros = groups.slice(0, 6).every((group) => group === 0);
  return zeros ? mapped(g, h) : undefined; // IPv4-compatible, RFC 4291, section 2.5.5.1
}

function isMapped(groups: Groups): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

function keyOf(groups: Groups | undefined): string {
  return groups === undefined ? "" : groups.join(":");
}

function parseAddress(text: string): Groups | undefined {
  if (!text.includes(":")) {
    const v4 = parseV4(text);
    return v4 && [0, 0, 0, 0, 0, 0xffff, ...v4];
  }
  const [address = "", zone = "0", ...more] = text.split("%");
  return /^[\w.:-]+$/.test(zone) && more.length === 0 ? parseV6(address) : undefined;
}

/** Four decimal numbers without leading zeros: readers disagree about every other spelling. */
function parseV4(text: string): readonly [number, number] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part)) return undefined;
    const byte = Number(part);
    if (byte > 255) return undefined;
    bytes.push(byte);
  }
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return [a * 256 + b, c * 256 + d];
}

function parseV6(text: string): Groups | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split("::");
  const [head, tail, ...more] = halves.map((half, at) => parseRun(half, at === halves.length - 1));
  if (more.length > 0 || head === undefined) return undefined;
  if (halves.length === 1) return head.length === GROUPS ? head : undefined;
  if (tail === undefined || head.length + tail.length >= GROUPS) return undefined;
  return [...head, ...Array<number>(GROUPS - head.length - tail.length).fill(0), ...tail];
}

/** Groups between colons; the last of an address may be an IPv4 address. */
function parseRun(text: string, last: boolean): Groups | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    if (last && at === parts.length - 1 && part.includes(".")) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      groups.push(...v4);
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else return undefined;
  }
  return groups;
}
