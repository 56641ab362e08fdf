import type { Bytes } from "../core/units.ts";

/** Members a scan looks for, by dotted path. */
export interface WantedMembers<Paths extends readonly string[]> {
  readonly paths: Paths;
  readonly level: WantedLevel;
}

/** The wanted names of one object. */
export type WantedLevel = readonly WantedName[];

export interface WantedName {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Its path's index. */
  readonly place: number;
  /** What is wanted of the object this name holds. */
  readonly inner: WantedLevel;
}

/** A member's name in a body, the quotes left out. */
export interface NameSpan {
  readonly body: Uint8Array;
  readonly start: Bytes;
  readonly end: Bytes;
}

const SPACE = 0x20;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const LONG_S = 0x17f;
const KELVIN_SIGN = 0x212a;

/**
 * Prepares paths once, for many scans.
 * @throws when a path stands before that of the object it is in.
 */
export function wantedMembers<const Paths extends readonly string[]>(
  paths: Paths,
): WantedMembers<Paths> {
  const level: WantedName[] = [];
  const levels = new Map<string, WantedName[]>([["", level]]);
  for (const [place, path] of paths.entries()) {
    const dot = path.lastIndexOf(".");
    const siblings = levels.get(path.slice(0, Math.max(dot, 0)));
    if (siblings === undefined) throw new Error(`${path} stands before the object it is in`);
    const name = path.slice(dot + 1);
    const inner: WantedName[] = [];
    siblings.push({ name, bytes: new TextEncoder().encode(name), place, inner });
    levels.set(path, inner);
  }
  return { paths, level };
}

/** The wanted name that is written there letter for letter. */
export function plainName(level: WantedLevel, name: NameSpan): WantedName | undefined {
  const length = name.end - name.start;
  for (let index = 0; index < level.length; index++) {
    const wanted = level[index]!;
    if (wanted.bytes.length === length && hasBytes(name, wanted.bytes)) return wanted;
  }
  return undefined;
}

/**
 * The wanted name meant by one with escapes, capitals or spaces in it; `exact` when only escapes.
 * Go's encoding/json takes "Model" for "model" (its Unmarshal page), so such a name lets two
 * parsers read two different models. Wanted names are made of lower-case letters, digits and `_`.
 */
export function oddName(
  level: WantedLevel,
  name: NameSpan,
): { readonly wanted: WantedName; readonly exact: boolean } | undefined {
  if (isOrdinary(name)) return undefined;
  const trimmed = trim(name);
  const padded = trimmed.end - trimmed.start < name.end - name.start;
  for (const wanted of level) {
    const spelling = spellingOf(wanted.bytes, trimmed);
    if (spelling !== "other") return { wanted, exact: spelling === "exact" && !padded };
  }
  return undefined;
}

function trim({ body, start, end }: NameSpan): NameSpan {
  let first = start;
  let last = end;
  while (first < last && body[first] === SPACE) first++;
  while (last > first && body[last - 1] === SPACE) last--;
  return { body, start: first, end: last };
}

/** Stops by itself at the name's end: no wanted name holds a quote or a space. */
function spellingOf(wanted: Uint8Array, name: NameSpan): "exact" | "alike" | "other" {
  const { body } = name;
  let at = name.start;
  let exact = true;
  for (let index = 0; index < wanted.length; index++) {
    const { code, size } = characterAt(body, at);
    if (code !== wanted[index]) {
      if (folded(code) !== wanted[index]) return "other";
      exact = false;
    }
    at += size;
  }
  if (at !== name.end) return "other";
  return exact ? "exact" : "alike";
}

/** A character of a valid name. Only those that can fold to ASCII need be told apart. */
function characterAt(
  body: Uint8Array,
  at: Bytes,
): { readonly code: number; readonly size: number } {
  const byte = body[at]!;
  if (byte === BACKSLASH && body[at + 1] === LOWER_U) {
    let code = 0;
    for (let digit = at + 2; digit < at + 6; digit++) code = (code << 4) | hexValue(body[digit]!);
    return { code, size: 6 };
  }
  if (byte === 0xc5 && body[at + 1] === 0xbf) return { code: LONG_S, size: 2 };
  if (byte === 0xe2 && body[at + 1] === 0x84 && body[at + 2] === 0xaa) {
    return { code: KELVIN_SIGN, size: 3 };
  }
  return { code: byte, size: 1 };
}

function hexValue(digit: number): number {
  return digit > 0x39 ? (digit & 0xf) + 9 : digit & 0xf;
}

/** The lower-case letter a character folds to; Unicode's simple folding, as Go uses it. */
function folded(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code | 0x20;
  if (code === LONG_S) return 0x73;
  return code === KELVIN_SIGN ? 0x6b : code;
}

/** Lower-case letters, digits and `_`: what nearly all names are made of. */
function isOrdinary({ body, start, end }: NameSpan): boolean {
  for (let at = start; at < end; at++) {
    const byte = body[at]!;
    const letterOrDigit = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
    if (!letterOrDigit && byte !== 0x5f) return false;
  }
  return true;
}

function hasBytes({ body, start }: NameSpan, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (body[start + index] !== bytes[index]) return false;
  }
  return true;
}
