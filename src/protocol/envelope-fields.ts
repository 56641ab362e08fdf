import { Rejection } from "../core/rejection.ts";
import type { Span } from "../core/request.ts";
import type { Bytes, Chunk } from "../core/units.ts";
import type { JsonFault } from "../wire/json-fault.ts";
import type { WantedMembers } from "../wire/json-keys.ts";
import { type JsonFound, type JsonKind, type JsonValue, scanJson } from "../wire/json-scan.ts";
import type { ReadLimits } from "./dialect.ts";

const MODEL_BYTES_MAX: Bytes = 256;
/** No privacy mark we know and no sensible number is longer than this as it is written. */
const LITERAL_BYTES_MAX: Bytes = 64;
/** One byte of a name takes up to six in a string literal: `\u0041`. */
const MODEL_LITERAL_BYTES_MAX: Bytes = 6 * MODEL_BYTES_MAX + 2;

const SPOKEN: Readonly<Record<JsonKind, string>> = {
  object: "an object",
  array: "an array",
  string: "a string",
  number: "a number",
  true: "true",
  false: "false",
  null: "null",
};

const utf8 = new TextDecoder();

export interface ScanOptions<Paths extends readonly string[]> {
  readonly limits: ReadLimits;
  readonly wanted: WantedMembers<Paths>;
  /** A shortest body, for the caller who sent none. */
  readonly example: string;
}

/** The wanted members of a call's body, which must be one JSON object. */
export function scanBody<const Paths extends readonly string[]>(
  body: Chunk,
  { limits, wanted, example }: ScanOptions<Paths>,
): JsonFound<Paths>["members"] | Rejection {
  if (body.length === 0) {
    return malformed(undefined, `the body is empty: send a JSON object like ${example}`);
  }
  const scan = scanJson(body, { depthMax: limits.depthMax, wanted });
  if (!scan.ok) return refused(scan.fault);
  if (scan.root.kind !== "object") {
    return malformed(undefined, `the body is JSON but no object: send one like ${example}`);
  }
  return scan.members;
}

export interface ModelName {
  readonly text: string;
  readonly start: Bytes;
  readonly end: Bytes;
}

/** The model's name and where its literal stands. `example` is a shortest body that has one. */
export function readModel(
  body: Chunk,
  value: JsonValue | undefined,
  example: string,
): ModelName | Rejection {
  if (value === undefined) {
    const detail = `no model is named: send ${example}; GET /v1/models lists the names`;
    return malformed("model", detail);
  }
  const { start, end, kind } = value;
  if (kind !== "string") return wrongKind("model", { wanted: "a string", got: value });
  const tooLong = `'model' is longer than ${MODEL_BYTES_MAX} bytes: send a name from /v1/models`;
  if (end - start > MODEL_LITERAL_BYTES_MAX) return malformed("model", tooLong);
  const text = readString(body, value);
  return checkModel(text) ?? { text, start, end };
}

/** What is wrong with a model's name, wherever it stood. */
export function checkModel(text: string): Rejection | undefined {
  const tooLong = `'model' is longer than ${MODEL_BYTES_MAX} bytes: send a name from /v1/models`;
  if (text === "") return malformed("model", "'model' is empty: send a name from /v1/models");
  if (Buffer.byteLength(text) > MODEL_BYTES_MAX) return malformed("model", tooLong);
  if (isPrintable(text)) return undefined;
  const detail = "'model' holds a control character or half a surrogate pair: leave it out";
  return malformed("model", detail);
}

/** Absent and null are off, as OpenAI has it. */
export function readFlag(path: string, value: JsonValue | undefined): boolean | Rejection {
  switch (value?.kind) {
    case undefined:
    case "null":
    case "false":
      return false;
    case "true":
      return true;
    case "object":
    case "array":
    case "string":
    case "number":
      return wrongKind(path, { wanted: "true, false or null", got: value });
  }
}

/** A count of tokens; `path` names the member in a refusal. */
export function readCap(
  body: Chunk,
  path: string,
  value: JsonValue | undefined,
): number | undefined | Rejection {
  if (value === undefined || value.kind === "null") return undefined;
  if (value.kind !== "number") return wrongKind(path, { wanted: "an integer or null", got: value });
  const { start, end } = value;
  const number = end - start > LITERAL_BYTES_MAX ? Number.NaN : Number(textOf(body, value));
  if (Number.isSafeInteger(number) && number >= 0) return number + 0; // -0 becomes 0.
  return malformed(path, `'${path}' must be an integer of 0 or more: send one, or leave it out`);
}

/** As it is written where that is no string or too long for a mark: unreadable to a classifier. */
export function readMark(body: Chunk, mark: JsonValue): string {
  const { start, end, kind } = mark;
  if (kind === "string" && end - start <= LITERAL_BYTES_MAX) return readString(body, mark);
  return textOf(body, { start, end: Math.min(end, start + LITERAL_BYTES_MAX) });
}

function readString(body: Chunk, literal: Span): string {
  const text: string = JSON.parse(textOf(body, literal));
  return text;
}

function textOf(body: Chunk, { start, end }: Span): string {
  return utf8.decode(body.subarray(start, end));
}

/** No C0 or C1 control character, no DEL, no lone surrogate: fit for a log line and a header. */
function isPrintable(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return false;
  }
  return text.isWellFormed();
}

function refused({ kind, reason, path }: JsonFault): Rejection {
  switch (kind) {
    case "syntax":
    case "utf8":
      return malformed(path, `the body is not valid JSON: ${reason}`);
    case "depth":
      return malformed(path, `the body has ${reason}: send it flatter`);
    case "repeated":
      return malformed(path, `the body has ${reason}: send it once`);
    case "lookalike":
      return malformed(path, `the body has ${reason}: spell it as shown, or leave it out`);
  }
}

/** A refusal of a member of another kind than `wanted`. */
export function wrongKind(
  path: string,
  { wanted, got }: { readonly wanted: string; readonly got: JsonValue },
): Rejection {
  return malformed(path, `'${path}' must be ${wanted}, not ${SPOKEN[got.kind]}`);
}

/** A refusal in words of ours. */
export function malformed(param: string | undefined, detail: string): Rejection {
  return new Rejection({ kind: "malformed", param, detail });
}
