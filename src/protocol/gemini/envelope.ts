import { Rejection } from "../../core/rejection.ts";
import type { CallHead, Envelope } from "../../core/request.ts";
import type { Chunk } from "../../core/units.ts";
import { wantedMembers } from "../../wire/json-keys.ts";
import type { JsonValue } from "../../wire/json-scan.ts";
import type { EnvelopeRead, ReadLimits } from "../dialect.ts";
import { checkModel, malformed, readCap, readMark, scanBody } from "../envelope-fields.ts";

/**
 * What limits read, in both spellings the server takes, and therefore what may be there once only.
 * `candidateCount` multiplies cost. Model and stream stand in the path.
 */
const WANTED = wantedMembers([
  "generationConfig",
  "generationConfig.maxOutputTokens",
  "generationConfig.max_output_tokens",
  "generationConfig.candidateCount",
  "generation_config",
  "generation_config.maxOutputTokens",
  "generation_config.max_output_tokens",
  "generation_config.candidateCount",
  "labels",
  "labels.privacy",
  "metadata",
  "metadata.privacy",
]);
const EXAMPLE = '{"contents": [{"parts": [{"text": …}]}]}';

/** Reads the few fields routing needs; the upstream judges the rest. */
export function readEnvelope(
  head: CallHead,
  body: Chunk,
  limits: ReadLimits,
): EnvelopeRead | Rejection {
  const { model } = head;
  if (model === undefined) {
    return malformed("model", "no model is named: the path is /models/<name>:generateContent");
  }
  const unfit = checkModel(model);
  if (unfit !== undefined) return unfit;
  const members = scanBody(body, { limits, wanted: WANTED, example: EXAMPLE });
  if (members instanceof Rejection) return members;
  const [camel, camelCap, camelSnakeCap, , snake, snakeCap, snakeSnakeCap, , , label, , mark] =
    members;
  const twice =
    repeated("generationConfig", [camel, snake]) ??
    repeated("maxOutputTokens", [camelCap, camelSnakeCap, snakeCap, snakeSnakeCap]) ??
    repeated("privacy", [label, mark]);
  if (twice !== undefined) return twice;
  const said = camelCap ?? camelSnakeCap ?? snakeCap ?? snakeSnakeCap;
  const cap = readCap(body, "generationConfig.maxOutputTokens", said);
  if (cap instanceof Rejection) return cap;

  const envelope: Envelope = {
    dialect: "gemini",
    operation: head.operation,
    model,
    modelSpan: undefined,
    stream: head.stream === true,
    includeUsage: false,
    streamOptionsSpan: undefined,
    outputTokensMax: cap,
    bodyBytes: body.length,
    head,
  };
  const privacy = label ?? mark;
  return { envelope, privacyMark: privacy && readMark(body, privacy) };
}

/** Two spellings of one member: two readers could disagree about which counts. */
function repeated(
  name: string,
  spellings: readonly (JsonValue | undefined)[],
): Rejection | undefined {
  if (spellings.filter((value) => value !== undefined).length < 2) return undefined;
  return malformed(name, `the body has '${name}' in two spellings: send it once`);
}
