import { Rejection } from "../../core/rejection.ts";
import type { CallHead, Envelope } from "../../core/request.ts";
import type { Chunk } from "../../core/units.ts";
import { wantedMembers } from "../../wire/json-keys.ts";
import type { EnvelopeRead, ReadLimits } from "../dialect.ts";
import { readCap, readFlag, readMark, readModel, scanBody } from "../envelope-fields.ts";

/** What routing and limits read, and therefore what may be there once only. */
const WANTED = wantedMembers(["model", "stream", "max_tokens", "metadata", "metadata.privacy"]);
const EXAMPLE = '{"model": "<name>", "max_tokens": 1024, "messages": […]}';

/** Reads the few fields routing needs; the upstream judges the rest. */
export function readEnvelope(
  head: CallHead,
  body: Chunk,
  limits: ReadLimits,
): EnvelopeRead | Rejection {
  const members = scanBody(body, { limits, wanted: WANTED, example: EXAMPLE });
  if (members instanceof Rejection) return members;
  const [model, stream, maxTokens, , mark] = members;

  const name = readModel(body, model, EXAMPLE);
  if (name instanceof Rejection) return name;
  const streamed = readFlag("stream", stream);
  if (streamed instanceof Rejection) return streamed;
  const cap = readCap(body, "max_tokens", maxTokens);
  if (cap instanceof Rejection) return cap;

  const envelope: Envelope = {
    dialect: "anthropic",
    operation: head.operation,
    model: name.text,
    modelSpan: { start: name.start, end: name.end },
    stream: streamed && head.operation === "chat", // Others never are, whatever was asked.
    includeUsage: false, // This wire always tells.
    streamOptionsSpan: undefined,
    outputTokensMax: cap,
    bodyBytes: body.length,
    head,
  };
  return { envelope, privacyMark: mark && readMark(body, mark) };
}
