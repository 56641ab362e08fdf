import type { Bytes, Chunk } from "../core/units.ts";

/** One message as bytes, its checksums proven: nothing was decoded, and usually nothing copied. */
export interface EventStreamFrame {
  /** Read it before the callback returns, or copy it. */
  readonly bytes: Uint8Array;
  /** Where the headers begin. */
  readonly start: Bytes;
  /** Where the headers end and the payload begins. */
  readonly payload: Bytes;
  /** Where the payload ends. */
  readonly end: Bytes;
}

/** A header of a message; the type is part of what it says. */
export type EventStreamHeader = { readonly name: string } & HeaderValue;
export type HeaderValue =
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "byte" | "short" | "integer"; readonly value: number }
  /** A timestamp counts milliseconds since 1970. */
  | { readonly type: "long" | "timestamp"; readonly value: bigint }
  | { readonly type: "binary" | "uuid"; readonly value: Uint8Array }
  | { readonly type: "string"; readonly value: string };

/** Both lengths and their checksum stand before the headers. */
export const PRELUDE_BYTES: Bytes = 12;
export const CHECKSUM_BYTES: Bytes = 4;
const NAME_BYTES_MAX: Bytes = 255;
const VALUE_BYTES_MAX: Bytes = 0xffff;
const UUID_BYTES: Bytes = 16;

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The headers of a message, in their order; undefined where they do not fill their place. */
export function readHeaders({
  bytes,
  start,
  payload,
}: EventStreamFrame): readonly EventStreamHeader[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, payload - start);
  const headers: EventStreamHeader[] = [];
  try {
    for (let at = 0; at < view.byteLength;) {
      const nameEnd = at + 1 + view.getUint8(at);
      const name = textOf(view, at + 1, nameEnd);
      const size = valueSize(view, nameEnd);
      if (name === "" || size === undefined) return undefined;
      headers.push({ name, ...valueAt(view, nameEnd + 1, view.getUint8(nameEnd)) });
      at = nameEnd + 1 + size;
    }
  } catch {
    return undefined; // A length leads out of the headers, or a text is not UTF-8.
  }
  return headers;
}

/** A message with its lengths and checksums. */
export function encodeFrame(headers: readonly EventStreamHeader[], payload: Uint8Array): Chunk {
  const encoded = headers.map(encodeHeader);
  const headersBytes = encoded.reduce((sum, { length }) => sum + length, 0);
  const length = PRELUDE_BYTES + headersBytes + payload.length + CHECKSUM_BYTES;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length);
  view.setUint32(4, headersBytes);
  view.setUint32(8, crc32(bytes, 0, 8));
  let at = PRELUDE_BYTES;
  for (const header of encoded) {
    bytes.set(header, at);
    at += header.length;
  }
  bytes.set(payload, at);
  view.setUint32(length - CHECKSUM_BYTES, crc32(bytes, 0, length - CHECKSUM_BYTES));
  return bytes;
}

/** CRC-32 of ISO 3309, as zlib has it. */
export function crc32(bytes: Uint8Array, start: Bytes, end: Bytes): number {
  return Bun.hash.crc32(bytes.subarray(start, end));
}

/** How many bytes the value behind the type at `at` takes; undefined when there is no such type. */
function valueSize(view: DataView, at: Bytes): Bytes | undefined {
  const type = view.getUint8(at);
  if (type === 6 || type === 7) return 2 + view.getUint16(at + 1);
  return SIZES[type];
}

/** By type: true, false, byte, short, integer, long, then binary and string, timestamp, UUID. */
const SIZES: readonly (Bytes | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];

function valueAt(view: DataView, at: Bytes, type: number): HeaderValue {
  switch (type) {
    case 0:
    case 1:
      return { type: "boolean", value: type === 0 };
    case 2:
      return { type: "byte", value: view.getInt8(at) };
    case 3:
      return { type: "short", value: view.getInt16(at) };
    case 4:
      return { type: "integer", value: view.getInt32(at) };
    case 5:
      return { type: "long", value: view.getBigInt64(at) };
    case 6:
      return { type: "binary", value: bytesOf(view, at + 2, at + 2 + view.getUint16(at)) };
    case 7:
      return { type: "string", value: textOf(view, at + 2, at + 2 + view.getUint16(at)) };
    case 8:
      return { type: "timestamp", value: view.getBigInt64(at) };
    default:
      return { type: "uuid", value: bytesOf(view, at, at + UUID_BYTES) };
  }
}

function encodeHeader(header: EventStreamHeader): Uint8Array {
  const name = encoder.encode(header.name);
  if (name.length === 0 || name.length > NAME_BYTES_MAX) {
    throw new Error(`a header's name takes 1 to ${NAME_BYTES_MAX} bytes: ${header.name}`);
  }
  const value = encodeValue(header);
  const bytes = new Uint8Array(1 + name.length + value.length);
  bytes[0] = name.length;
  bytes.set(name, 1);
  bytes.set(value, 1 + name.length);
  return bytes;
}

function encodeValue(header: EventStreamHeader): Uint8Array {
  switch (header.type) {
    case "boolean":
      return Uint8Array.of(header.value ? 0 : 1);
    case "byte":
      return numberValue(2, 1, (view) => view.setInt8(1, header.value));
    case "short":
      return numberValue(3, 2, (view) => view.setInt16(1, header.value));
    case "integer":
      return numberValue(4, 4, (view) => view.setInt32(1, header.value));
    case "long":
      return numberValue(5, 8, (view) => view.setBigInt64(1, header.value));
    case "timestamp":
      return numberValue(8, 8, (view) => view.setBigInt64(1, header.value));
    case "binary":
      return sizedValue(6, header.value);
    case "string":
      return sizedValue(7, encoder.encode(header.value));
    case "uuid":
      return Uint8Array.of(9, ...header.value.subarray(0, UUID_BYTES));
  }
}

function numberValue(type: number, size: Bytes, set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(1 + size);
  bytes[0] = type;
  set(new DataView(bytes.buffer));
  return bytes;
}

function sizedValue(type: number, value: Uint8Array): Uint8Array {
  if (value.length > VALUE_BYTES_MAX) throw new Error("a header's value takes up to 64 KiB");
  const bytes = new Uint8Array(3 + value.length);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint16(1, value.length);
  bytes.set(value, 3);
  return bytes;
}

function bytesOf(view: DataView, start: Bytes, end: Bytes): Uint8Array {
  if (end > view.byteLength) throw new RangeError("a length leads out of the headers");
  return new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice();
}

function textOf(view: DataView, start: Bytes, end: Bytes): string {
  return utf8.decode(bytesOf(view, start, end));
}
