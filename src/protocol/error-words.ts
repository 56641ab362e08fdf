import type { ErrorWords } from "../core/error-rule.ts";
import type { Chunk } from "../core/units.ts";
import {
  type Foreign,
  foreignList,
  foreignObject,
  foreignText,
  parseForeign,
} from "../wire/foreign.ts";

/** A validation message may echo the whole prompt. */
const MESSAGE_LENGTH_MAX = 4096;
/** Envelopes in envelopes: a relay's, with the host's own inside as a text. */
const DEPTH_MAX = 4;

interface Found {
  readonly codes: string[];
  readonly types: string[];
  readonly messages: string[];
  status: number | undefined;
}

/**
 * What an error answer says, read out of every envelope there is (protocols.md 6.1): an operator's
 * rules hold whichever protocol a host says it speaks.
 */
export function errorWords(status: number, headers: Headers, body: Chunk): ErrorWords {
  const found = nothing();
  noteName(found, headers.get("x-amzn-errortype"));
  note(found, parseForeign(body), 0);
  return { ...found, status };
}

/** The same of an event inside a stream, which names its own status or none (then 0). */
export function eventWords(event: unknown): ErrorWords {
  const found = nothing();
  note(found, event, 0);
  return { ...found, status: found.status ?? 0 };
}

function nothing(): Found {
  return { codes: [], types: [], messages: [], status: undefined };
}

function note(found: Found, value: unknown, depth: number): void {
  const object = foreignObject(Array.isArray(value) ? value[0] : value);
  if (object === undefined || depth > DEPTH_MAX) return;
  noteFields(found, object);
  for (const name of ["error", "response", "detail", "base_resp"])
    note(found, object[name], depth + 1);
  // Cloudflare lists its errors; Gemini lists details of one.
  for (const one of foreignList(object["errors"])) note(found, one, depth + 1);
  const { details } = object;
  for (const one of foreignList(details)) noteCode(found.codes, foreignObject(one)?.["reason"]);
  noteCode(found.codes, foreignObject(details)?.["error_code"]);
  noteCode(found.codes, foreignObject(object["innererror"])?.["code"]);
  // OpenRouter passes the host's own answer on as a text.
  const raw = foreignText(foreignObject(object["metadata"])?.["raw"]);
  if (raw !== undefined) noteRaw(found, raw, depth);
}

function noteFields(found: Found, object: Foreign): void {
  const { code, status } = object;
  for (const one of [code, status, object["status_code"]]) noteCode(found.codes, one);
  noteName(found, foreignText(object["__type"]));
  for (const one of [object["type"], object["error_type"]]) noteCode(found.types, one);
  for (const one of ["message", "Message", "error", "detail", "status_msg"]) {
    const text = foreignText(object[one]);
    if (text !== undefined) found.messages.push(text.slice(0, MESSAGE_LENGTH_MAX).toLowerCase());
  }
  found.status = statusIn(code) ?? statusIn(status) ?? found.status;
}

function noteRaw(found: Found, raw: string, depth: number): void {
  const inner = parseForeign(new TextEncoder().encode(raw));
  if (foreignObject(inner) === undefined)
    found.messages.push(raw.slice(0, MESSAGE_LENGTH_MAX).toLowerCase());
  else note(found, inner, depth + 1);
}

/** AWS: `com.amazon#ThrottlingException`, `ThrottlingException:http://…`. */
function noteName(found: Found, name: string | null | undefined): void {
  const [whole = ""] = (name ?? "").split(":", 1);
  noteCode(found.codes, whole.slice(whole.lastIndexOf("#") + 1).trim());
}

function noteCode(codes: string[], value: unknown): void {
  const text = typeof value === "number" ? String(value) : foreignText(value);
  if (text !== undefined) codes.push(text.toLowerCase());
}

function statusIn(value: unknown): number | undefined {
  const status = typeof value === "string" ? Number(value) : value;
  const isStatus = typeof status === "number" && Number.isInteger(status);
  return isStatus && status >= 400 && status <= 599 ? status : undefined;
}
