import type { Span } from "../core/request.ts";
import type { Bytes, Chunk } from "../core/units.ts";
import { skipSpace } from "./json-token.ts";
import { CLOSE_BRACE } from "./json-value.ts";

/** Bytes that take the place of a range of a document; an empty range inserts. */
export interface Edit {
  readonly span: Span;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");
const COLON = encoder.encode(":");
const NOTHING = new Uint8Array();

/** The document with one range replaced and every other byte as it was. */
export function splice(body: Chunk, span: Span, bytes: Uint8Array): Chunk {
  return spliceAll(body, [{ span, bytes }]);
}

/**
 * The document with several ranges replaced, copied once.
 * @throws when two ranges overlap or one is not in the document.
 */
export function spliceAll(body: Chunk, edits: readonly Edit[]): Chunk {
  const inOrder =
    edits.length < 2 ? edits : edits.toSorted((left, right) => left.span.start - right.span.start);
  let length = body.length;
  for (const { span, bytes } of inOrder) length += bytes.length - (span.end - span.start);
  const spliced = new Uint8Array(length);
  let from: Bytes = 0;
  let to: Bytes = 0;
  for (const { span, bytes } of inOrder) {
    if (span.start < from || span.end < span.start || span.end > body.length) {
      throw new Error(`no edit fits bytes ${span.start} to ${span.end} of ${body.length}`);
    }
    spliced.set(body.subarray(from, span.start), to);
    to += span.start - from;
    spliced.set(bytes, to);
    to += bytes.length;
    from = span.end;
  }
  spliced.set(body.subarray(from), to);
  return spliced;
}

/** `text` as the bytes of a JSON string literal; a lone surrogate comes out escaped. */
export function jsonString(text: string): Chunk {
  return encoder.encode(JSON.stringify(text));
}

/** A member's name and the bytes of its value. */
export interface Member {
  readonly name: string;
  readonly value: Uint8Array;
}

/** The edit that puts `member` first into the object whose `{` stands at `start`. */
export function insertMember(
  body: Uint8Array,
  { start, member }: { readonly start: Bytes; readonly member: Member },
): Edit {
  const inside = start + 1;
  const empty = body[skipSpace(body, inside)] === CLOSE_BRACE;
  const name = jsonString(member.name);
  const bytes = Buffer.concat([name, COLON, member.value, empty ? NOTHING : COMMA]);
  return { span: { start: inside, end: inside }, bytes };
}
