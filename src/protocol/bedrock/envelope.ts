import { Rejection } from "../../core/rejection.ts";
import type { CallHead, Envelope } from "../../core/request.ts";
import type { Chunk } from "../../core/units.ts";
import { wantedMembers } from "../../wire/json-keys.ts";
import type { EnvelopeRead, ReadLimits } from "../dialect.ts";
import { checkModel, malformed, readCap, readMark, scanBody } from "../envelope-fields.ts";

/** What limits read, and therefore what may be there once only. */
const WANTED = wantedMembers([
  "inferenceConfig",
  "inferenceConfig.maxTokens",
  "requestMetadata",
  "requestMetadata.privacy",
]);
const EXAMPLE = '{"messages": [{"role": "user", "content": [{"text": "…"}]}]}';

/** Reads the few fields routing needs; model and stream stand in the path. */
export function readEnvelope(
  head: CallHead,
  body: Chunk,
  limits: ReadLimits,
): EnvelopeRead | Rejection {
  const { model, stream, operation } = head;
  if (model === undefined) {
    const detail = "no model is named: call /model/<name>/converse; GET /v1/models lists the names";
    return malformed("modelId", detail);
  }
  const unfit = checkModel(model);
  if (unfit !== undefined) return unfit;
  const members = scanBody(body, { limits, wanted: WANTED, example: EXAMPLE });
  if (members instanceof Rejection) return members;
  const [, maxTokens, , mark] = members;
  const cap = readCap(body, "inferenceConfig.maxTokens", maxTokens);
  if (cap instanceof Rejection) return cap;

  const envelope: Envelope = {
    dialect: "bedrock",
    operation,
    model,
    modelSpan: undefined,
    stream: stream ?? false,
    includeUsage: false,
    streamOptionsSpan: undefined,
    outputTokensMax: cap,
    bodyBytes: body.length,
    head,
  };
  return { envelope, privacyMark: mark && readMark(body, mark) };
}
