import type { Bytes } from "../core/units.ts";

/** One event of a stream as bytes: nothing was decoded, and usually nothing was copied. */
export interface SseFrame {
  /** The data stands from `start` to `end`. Read it before the callback returns, or copy it. */
  readonly bytes: Uint8Array;
  readonly start: Bytes;
  readonly end: Bytes;
  /** The value of the event field; "" where there is none. */
  readonly event: string;
  readonly id: string | undefined;
  /** Larger than the cap: nothing of it was kept. */
  readonly oversize: boolean;
  /** False for a last event whose blank line never came. */
  readonly terminated: boolean;
}

/** The lines of one event, with their line ends, as they came. */
export interface SseBlock {
  readonly bytes: Uint8Array;
  readonly start: Bytes;
  readonly end: Bytes;
  readonly lineCount: number;
  readonly hasCr: boolean;
  readonly terminated: boolean;
}

/** Leaves a BOM in place: inside a stream it is content. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const DATA = new TextEncoder().encode("data");
const EVENT = new TextEncoder().encode("event");
const ID = new TextEncoder().encode("id");

interface Range {
  readonly start: Bytes;
  readonly end: Bytes;
}

/** The data of a frame as text; what is not UTF-8 in it becomes U+FFFD. */
export function frameText(frame: SseFrame): string {
  return textOf(frame.bytes, frame);
}

/** The event that `block` spells; undefined when no line of it is a data field. */
export function readBlock(block: SseBlock): SseFrame | undefined {
  const { bytes, start, terminated } = block;
  if (block.lineCount === 2 && bytes[start + EVENT.length] === COLON) {
    const named = readNamed(block);
    if (named !== undefined) return named;
  }
  if (block.lineCount !== 1 || bytes[start + DATA.length] !== COLON) return readLines(block);
  if (!startsWith(bytes, start, DATA)) return undefined;
  const line = { start, end: trimLineEnd(bytes, block.end) };
  const data = valueOf(bytes, line, DATA.length);
  return { bytes, ...data, event: "", id: undefined, oversize: false, terminated };
}

const NAME_BYTES_MAX: Bytes = 64;
/** Names are few and come again and again, so the last one is kept. */
let lastName: { readonly bytes: Uint8Array; readonly text: string } = { bytes: ID, text: "id" };

/** An event line and a data line, as most named events have; undefined for anything else. */
function readNamed(block: SseBlock): SseFrame | undefined {
  const { bytes, start, end, terminated } = block;
  if (!startsWith(bytes, start, EVENT)) return undefined;
  const firstEnd = lineEnd(block, start);
  const second = bytes[firstEnd] === CR && bytes[firstEnd + 1] === LF ? firstEnd + 2 : firstEnd + 1;
  if (bytes[second + DATA.length] !== COLON || !startsWith(bytes, second, DATA)) return undefined;
  const name = valueOf(bytes, { start, end: firstEnd }, EVENT.length);
  const data = valueOf(bytes, { start: second, end: trimLineEnd(bytes, end) }, DATA.length);
  return {
    bytes,
    ...data,
    event: nameText(bytes, name),
    id: undefined,
    oversize: false,
    terminated,
  };
}

function nameText(bytes: Uint8Array, name: Range): string {
  const length = name.end - name.start;
  if (lastName.bytes.length === length && startsWith(bytes, name.start, lastName.bytes)) {
    return lastName.text;
  }
  const text = textOf(bytes, name);
  if (length <= NAME_BYTES_MAX) lastName = { bytes: bytes.slice(name.start, name.end), text };
  return text;
}

function readLines(block: SseBlock): SseFrame | undefined {
  const { bytes, terminated } = block;
  const lines: Range[] = [];
  let event = "";
  let id: string | undefined;
  for (let start = block.start; start < block.end;) {
    const line = { start, end: lineEnd(block, start) };
    if (isField(bytes, line, DATA)) {
      lines.push(valueOf(bytes, line, DATA.length));
    } else if (isField(bytes, line, EVENT)) {
      event = textOf(bytes, valueOf(bytes, line, EVENT.length));
    } else if (isField(bytes, line, ID)) {
      const given = textOf(bytes, valueOf(bytes, line, ID.length));
      if (!given.includes("\0")) id = given;
    }
    start = bytes[line.end] === CR && bytes[line.end + 1] === LF ? line.end + 2 : line.end + 1;
  }
  const [first, ...more] = lines;
  if (first === undefined) return undefined;
  if (more.length === 0) return { bytes, ...first, event, id, oversize: false, terminated };
  const joined = joinLines(bytes, lines);
  return { bytes: joined, start: 0, end: joined.length, event, id, oversize: false, terminated };
}

/** Where the line that begins at `start` ends. A block without CR is searched natively. */
function lineEnd({ bytes, end, hasCr }: SseBlock, start: Bytes): Bytes {
  if (!hasCr) {
    const at = bytes.indexOf(LF, start);
    return at < 0 || at > end ? end : at;
  }
  let at = start;
  while (at < end && bytes[at] !== LF && bytes[at] !== CR) at++;
  return at;
}

function trimLineEnd(bytes: Uint8Array, end: Bytes): Bytes {
  let at = end;
  while (bytes[at - 1] === LF || bytes[at - 1] === CR) at--;
  return at;
}

/** Whether a line is the field `name`: with a colon behind it, or with no value at all. */
function isField(bytes: Uint8Array, { start, end }: Range, name: Uint8Array): boolean {
  const after = start + name.length;
  if (after > end || (after < end && bytes[after] !== COLON)) return false;
  return startsWith(bytes, start, name);
}

function startsWith(bytes: Uint8Array, start: Bytes, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index++) {
    if (bytes[start + index] !== name[index]) return false;
  }
  return true;
}

/** What follows the colon, less one space. */
function valueOf(bytes: Uint8Array, { start, end }: Range, nameBytes: Bytes): Range {
  const from = Math.min(start + nameBytes + 1, end);
  return { start: from < end && bytes[from] === SPACE ? from + 1 : from, end };
}

function textOf(bytes: Uint8Array, { start, end }: Range): string {
  return utf8.decode(bytes.subarray(start, end));
}

function joinLines(bytes: Uint8Array, lines: readonly Range[]): Uint8Array {
  const separators = lines.length - 1;
  const length = lines.reduce((sum, { start, end }) => sum + end - start, separators);
  const joined = new Uint8Array(length).fill(LF);
  let at = 0;
  for (const { start, end } of lines) {
    joined.set(bytes.subarray(start, end), at);
    at += end - start + 1;
  }
  return joined;
}
