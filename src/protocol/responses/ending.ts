import type { Bytes } from "../../core/units.ts";
import type { Usage } from "../../core/usage.ts";
import { parseForeign } from "../../wire/foreign.ts";
import { objectInTail } from "../../wire/json-tail.ts";
import { usageOf } from "./usage.ts";

/** Room for what stands before the response in the event that ends it. */
const HEAD_BYTES: Bytes = 128;
/** With nothing nested or escaped before the response, its type is what it looks like. */
const HEAD = /^\{[^{}\\]*"type": ?"response\.(?:completed|incomplete)"[^{}\\]*"response": ?\{/;
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
