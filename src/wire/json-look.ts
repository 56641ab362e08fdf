import type { Bytes } from "../core/units.ts";
import { QUOTE, skipSpace } from "./json-token.ts";

const COLON = 0x3a;

/** Where the value of the member whose name ends before `at` begins; -1 if this is no member. */
export function memberValue(bytes: Uint8Array, at: Bytes): number {
  const colon = skipSpace(bytes, at);
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1;
}

/** Whether the value at `at` is `null`, `false`, `0`, `""` or `[]`: nothing, to whoever asks. */
export function isNothing(bytes: Uint8Array, at: Bytes): boolean {
  switch (bytes[at]) {
    case 0x22:
      return bytes[at + 1] === QUOTE;
    case 0x30:
      return isValueEnd(bytes[at + 1]);
    case 0x5b:
      return bytes[skipSpace(bytes, at + 1)] === 0x5d;
    case 0x66:
    case 0x6e:
      return true;
  }
  return false;
}

function isValueEnd(byte: number | undefined): boolean {
  return byte === undefined || byte <= 0x20 || byte === 0x2c || byte === 0x7d || byte === 0x5d;
}
