import type { Operation } from "../../core/ids.ts";
import { Rejection } from "../../core/rejection.ts";
import type { CallHead, Envelope } from "../../core/request.ts";
import type { Chunk } from "../../core/units.ts";
import { wantedMembers } from "../../wire/json-keys.ts";
import { scanJson } from "../../wire/json-scan.ts";
import { type Edit, insertMember } from "../../wire/json-splice.ts";
import { skipSpace } from "../../wire/json-token.ts";
import type { EnvelopeRead, ReadLimits } from "../dialect.ts";
import { readCap, readFlag, readMark, readModel, scanBody, wrongKind } from "../envelope-fields.ts";

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
/** What can be streamed as events. */
const STREAMED: ReadonlySet<Operation> = new Set(["chat", "completions"]);
const EXAMPLE = '{"model": "<name>", …}';

const encoder = new TextEncoder();
const YES = encoder.encode("true");
const ONLY_USAGE = encoder.encode('{"include_usage":true}');

/** Reads the few fields routing needs; the upstream judges the rest. */
export function readEnvelope(
  head: CallHead,
  body: Chunk,
  limits: ReadLimits,
): EnvelopeRead | Rejection {
  const members = scanBody(body, { limits, wanted: WANTED, example: EXAMPLE });
  if (members instanceof Rejection) return members;
  const [model, stream, streamOptions, include, maxTokens, maxCompletion, , mark] = members;

  const name = readModel(body, model, EXAMPLE);
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
    operation: head.operation,
    model: name.text,
    modelSpan: { start: name.start, end: name.end },
    stream: streamed && STREAMED.has(head.operation), // Others never are, whatever was asked.
    includeUsage,
    streamOptionsSpan: streamOptions && { start: streamOptions.start, end: streamOptions.end },
    outputTokensMax: newerCap ?? olderCap,
    bodyBytes: body.length,
    head,
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
