import type { Operation } from "../../core/ids.ts";
import { Rejection } from "../../core/rejection.ts";
import type { Envelope, Span } from "../../core/request.ts";
import type { Bytes, Chunk } from "../../core/units.ts";
import type { JsonFault } from "../../wire/json-fault.ts";
import { wantedMembers } from "../../wire/json-keys.ts";
import { type JsonKind, type JsonValue, scanJson } from "../../wire/json-scan.ts";
import { type Edit, insertMember } from "../../wire/json-splice.ts";
import { skipSpace } from "../../wire/json-token.ts";
import type { EnvelopeRead, ReadLimits } from "../dialect.ts";

/** What routing and limits read, and therefore what may be there once only. `n` multiplies cost. */
const WANTED = wantedMembers([
  "model",
  "stream",
  "stream_options",
  "stream_options.include_usage",
  "max_tokens",
  "max_completion_tokens",
  "metadata",
  "metadata.privacy",
  "n",
]);
const INCLUDE_USAGE = wantedMembers(["include_usage"]);
const EXAMPLE = '{"model": "<name>", …}';
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
const encoder = new TextEncoder();
const YES = encoder.encode("true");
const ONLY_USAGE = encoder.encode('{"include_usage":true}');

/** Reads the few fields routing needs; the upstream judges the rest. */
export function readEnvelope(
  operation: Operation,
  body: Chunk,
  limits: ReadLimits,
): EnvelopeRead | Rejection {
  if (body.length === 0) {
    return malformed(undefined, `the body is empty: send a JSON object like ${EXAMPLE}`);
  }
  const scan = scanJson(body, { depthMax: limits.depthMax, wanted: WANTED });
  if (!scan.ok) return refused(scan.fault);
  if (scan.root.kind !== "object") {
    const detail = `the body is JSON but no object: send one like ${EXAMPLE}`;
    return malformed(undefined, detail);
  }
  const [model, stream, streamOptions, include, maxTokens, maxCompletion, , mark] = scan.members;

  const name = readModel(body, model);
  if (name instanceof Rejection) return name;
  const streamed = readFlag("stream", stream);
  if (streamed instanceof Rejection) return streamed;
  if (streamOptions !== undefined && !["object", "null"].includes(streamOptions.kind)) {
    return wrongKind("stream_options", { wanted: "an object or null", got: streamOptions });
  }
  const includeUsage = readFlag("stream_options.include_usage", include);
  if (includeUsage instanceof Rejection) return includeUsage;
  const olderCap = readCap(body, "max_tokens", maxTokens);
  if (olderCap instanceof Rejection) return olderCap;
  const newerCap = readCap(body, "max_completion_tokens", maxCompletion);
  if (newerCap instanceof Rejection) return newerCap;

  const envelope: Envelope = {
    dialect: "openai",
    operation,
    model: name.text,
    modelSpan: { start: name.start, end: name.end },
    stream: streamed && operation !== "embeddings", // They are never streamed, whatever was asked.
    includeUsage,
    streamOptionsSpan: streamOptions && { start: streamOptions.start, end: streamOptions.end },
    outputTokensMax: newerCap ?? olderCap,
    bodyBytes: body.length,
  };
  return { envelope, privacyMark: mark && readMark(body, mark) };
}

/**
 * The edit that makes a streamed request ask for usage, be `stream_options` absent, null or there,
 * without `include_usage` or with it off. For the body the envelope was read from.
 */
export function includeUsageEdit(
  body: Chunk,
  { streamOptionsSpan: span }: Pick<Envelope, "streamOptionsSpan">,
): Edit {
  if (span === undefined) {
    const member = { name: "stream_options", value: ONLY_USAGE };
    return insertMember(body, { start: skipSpace(body, 0), member });
  }
  const options = body.subarray(span.start, span.end);
  const scan = scanJson(options, { depthMax: body.length, wanted: INCLUDE_USAGE });
  if (!scan.ok) throw new Error("stream_options was read from another body");
  if (scan.root.kind === "null") return { span, bytes: ONLY_USAGE };
  const [off] = scan.members;
  if (off !== undefined) {
    return { span: { start: span.start + off.start, end: span.start + off.end }, bytes: YES };
  }
  const member = { name: "include_usage", value: YES };
  return insertMember(body, { start: span.start, member });
}

interface ModelName {
  readonly text: string;
  readonly start: Bytes;
  readonly end: Bytes;
}

function readModel(body: Chunk, value: JsonValue | undefined): ModelName | Rejection {
  if (value === undefined) {
    const detail = `no model is named: send ${EXAMPLE}; GET /v1/models lists the names`;
    return malformed("model", detail);
  }
  const { start, end, kind } = value;
  if (kind !== "string") return wrongKind("model", { wanted: "a string", got: value });
  const tooLong = `'model' is longer than ${MODEL_BYTES_MAX} bytes: send a name from /v1/models`;
  if (end - start > MODEL_LITERAL_BYTES_MAX) return malformed("model", tooLong);
  const text = readString(body, value);
  if (text === "") return malformed("model", "'model' is empty: send a name from /v1/models");
  if (Buffer.byteLength(text) > MODEL_BYTES_MAX) return malformed("model", tooLong);
  if (!isPrintable(text)) {
    const detail = "'model' holds a control character or half a surrogate pair: leave it out";
    return malformed("model", detail);
  }
  return { text, start, end };
}

/** Absent and null are off, as OpenAI has it. */
function readFlag(path: string, value: JsonValue | undefined): boolean | Rejection {
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

function readCap(
  body: Chunk,
  path: "max_tokens" | "max_completion_tokens",
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
function readMark(body: Chunk, mark: JsonValue): string {
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

function wrongKind(
  path: string,
  { wanted, got }: { readonly wanted: string; readonly got: JsonValue },
): Rejection {
  return malformed(path, `'${path}' must be ${wanted}, not ${SPOKEN[got.kind]}`);
}

function malformed(param: string | undefined, detail: string): Rejection {
  return new Rejection({ kind: "malformed", param, detail });
}
