import { isUtf8 } from "node:buffer";
import type { Bytes } from "../core/units.ts";
import {
  badUtf8,
  byteOrderMark,
  type JsonFault,
  lookalike,
  repeated,
  tooDeep,
  unexpected,
} from "./json-fault.ts";
import {
  oddName,
  plainName,
  type WantedLevel,
  type WantedMembers,
  wantedMembers,
} from "./json-keys.ts";
import { fail, type JsonText, jsonText, skipSpace } from "./json-token.ts";
import {
  BRACE,
  CLOSE_BRACE,
  COMMA,
  notClosed,
  skipColon,
  skipQuotedName,
  skipValue,
} from "./json-value.ts";

export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

/** A value in the document: its first byte, the byte after its last, and what it is. */
export interface JsonValue {
  readonly start: Bytes;
  readonly end: Bytes;
  readonly kind: JsonKind;
}

/** A valid document. */
export interface JsonFound<Paths extends readonly string[]> {
  readonly ok: true;
  readonly root: JsonValue;
  /** The wanted members' values in the order of their paths. */
  readonly members: { readonly [Place in keyof Paths]: JsonValue | undefined };
}
export interface JsonRefused {
  readonly ok: false;
  readonly fault: JsonFault;
}
export interface ScanOptions<Paths extends readonly string[]> {
  /** How many containers may be open at once; the root counts. */
  readonly depthMax: number;
  /** Nothing is looked for when left out. */
  readonly wanted?: WantedMembers<Paths>;
}

const NOTHING_WANTED = wantedMembers([]);

interface Walk {
  readonly text: JsonText;
  readonly level: WantedLevel;
  readonly paths: readonly string[];
  readonly members: (JsonValue | undefined)[];
}

/**
 * Validates a whole document (RFC 8259, UTF-8 without BOM) and finds the wanted members in the same
 * pass, building no tree. A wanted member that is there twice, or under a name that another parser
 * may take for it, is a fault: two readers could then disagree about what it says.
 */
export function scanJson<const Paths extends readonly string[]>(
  body: Uint8Array,
  { depthMax, wanted }: ScanOptions<Paths>,
): JsonFound<Paths> | JsonRefused {
  if (!isUtf8(body)) return { ok: false, fault: badUtf8(body) };
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    return { ok: false, fault: byteOrderMark() };
  }
  const { paths, level } = wanted ?? NOTHING_WANTED;
  const text = jsonText(body, depthMax);
  const members = new Array<JsonValue | undefined>(paths.length).fill(undefined);
  const start = skipSpace(body, 0);
  const end = scanValue({ text, level, paths, members }, start);
  if (text.fault !== undefined) return { ok: false, fault: text.fault };
  const rest = skipSpace(body, end);
  if (rest < body.length) {
    return { ok: false, fault: unexpected(body, { at: rest, expected: "the end" }) };
  }
  const root = { start, end, kind: kindOf(body[start] ?? 0) };
  return { ok: true, root, members: members as JsonFound<Paths>["members"] };
}

function scanValue(walk: Walk, start: Bytes): number {
  const { text, level } = walk;
  const searched = level.length > 0 && text.body[start] === BRACE;
  return searched ? scanObject(walk, start) : skipValue(text, start);
}

function scanObject(walk: Walk, start: Bytes): number {
  const { text } = walk;
  const { body } = text;
  if (text.depth >= text.depthMax) return fail(text, tooDeep(start, text.depthMax));
  text.depth++;
  let at = skipSpace(body, start + 1);
  if (body[at] !== CLOSE_BRACE) {
    for (;;) {
      at = scanMember(walk, at);
      if (at < 0) return at;
      at = skipSpace(body, at);
      if (body[at] === CLOSE_BRACE) break;
      if (body[at] !== COMMA) return fail(text, notClosed(text, at));
      at = skipSpace(body, at + 1);
    }
  }
  text.depth--;
  return at + 1;
}

function scanMember(walk: Walk, start: Bytes): number {
  const { text, level, paths, members } = walk;
  const { body } = text;
  const nameEnd = skipQuotedName(text, start);
  if (nameEnd < 0) return nameEnd;
  const name = { body, start: start + 1, end: nameEnd - 1 };
  const at = skipColon(text, nameEnd);
  if (at < 0) return at;
  let wanted = plainName(level, name);
  if (wanted === undefined) {
    const odd = oddName(level, name);
    if (odd === undefined) return skipValue(text, at);
    wanted = odd.wanted;
    if (!odd.exact) return fail(text, lookalike(paths[wanted.place] ?? "", start));
  }
  const { place, inner } = wanted;
  if (members[place] !== undefined) return fail(text, repeated(paths[place] ?? "", start));
  const end = scanValue({ text, level: inner, paths, members }, at);
  if (end >= 0) members[place] = { start: at, end, kind: kindOf(body[at] ?? 0) };
  return end;
}

function kindOf(first: number): JsonKind {
  switch (first) {
    case 0x7b:
      return "object";
    case 0x5b:
      return "array";
    case 0x22:
      return "string";
    case 0x74:
      return "true";
    case 0x66:
      return "false";
    case 0x6e:
      return "null";
  }
  return "number";
}
