import type { Bytes } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { parseForeign } from "../../wire/foreign.ts";
import { objectInTail } from "../../wire/json-tail.ts";
import { usageOf } from "./usage.ts";

/** Room for what stands before the response in the event that ends it. */
const HEAD_BYTES: Bytes = 128;
/** As OpenAI and xAI begin it; who does so repeats the response and puts its usage in there. */
const HEAD = new RegExp(
  [
    String.raw`^\{(?:"sequence_number": ?\d+, ?)?"type": ?"response\.(?:completed|incomplete)"`,
    String.raw`, ?(?:"sequence_number": ?\d+, ?)?"response": ?\{`,
  ].join(""),
);
const USAGE = { name: Buffer.from('"usage"'), depth: 2 };

const latin1 = Buffer.prototype.latin1Slice;

/**
 * Usage of a response that ended well. The event repeats all of it, the caller's tools included,
 * so nothing but its end is read. Undefined where it must be parsed, or is another event.
 */
export function usageAtEnd(data: Uint8Array): Usage | undefined {
  if (!HEAD.test(latin1.call(data, 0, Math.min(HEAD_BYTES, data.length)))) return undefined;
  const usage = objectInTail(data, USAGE);
  return usage && usageOf(parseForeign(usage));
}
