import type { Bytes, Chunk } from "../core/units.ts";
import { type Foreign, foreignObject, parseForeign } from "../wire/foreign.ts";

/** An error is short; a long answer is one. */
const ERROR_BYTES_MAX: Bytes = 64 * 1024;
/** Names an answer without an error mostly does not hold: then nothing is parsed. */
const SIGNS = ['"error"', '"base_resp"'].map((sign) => new TextEncoder().encode(sign));

/**
 * Whether a 200 holds an error in the place of an answer: OpenRouter's and many relays' `error`,
 * MiniMax's `base_resp`. A response of OpenAI's that says it failed is an answer of its own.
 */
export function isErrorInside(body: Chunk): boolean {
  if (body.byteLength > ERROR_BYTES_MAX || !SIGNS.some((sign) => has(body, sign))) return false;
  const root = foreignObject(parseForeign(body));
  if (root === undefined || root["object"] === "response") return false;
  return isError(root["error"]) || hasFailed(foreignObject(root["base_resp"]));
}

function isError(error: unknown): boolean {
  if (typeof error === "string") return error !== "";
  const object = foreignObject(error);
  return object !== undefined && Object.keys(object).length > 0;
}

function hasFailed(base: Foreign | undefined): boolean {
  const code = base?.["status_code"];
  return typeof code === "number" && code !== 0;
}

function has(body: Chunk, sign: Uint8Array): boolean {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(sign);
}
