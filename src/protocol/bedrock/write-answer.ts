import type { AnswerContext } from "../codec.ts";
import type { IrAnswer } from "../ir/answer.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { capabilities } from "./capabilities.ts";
import { DocumentNames } from "./document-names.ts";
import { inside, unlessEmpty } from "./rest.ts";
import { askedSequence, writeStop } from "./stop.ts";
import { writeIrUsage } from "./usage.ts";
import { writeBlocks } from "./write-messages.ts";
import { tierOf } from "./write-request.ts";

/** Required by the type; what an answer took is not known where it is written. */
export const UNTIMED: JsonObject = { latencyMs: 0 };

/** A whole answer of Converse. */
export function writeAnswer(answer: IrAnswer, context: AnswerContext): JsonObject {
  return answer.origin === "bedrock" ? writeOwn(answer, context) : writeForeign(answer, context);
}

/** As it was read. */
function writeOwn(answer: IrAnswer, { report }: AnswerContext): JsonObject {
  const left = answer.ext?.bedrock;
  const [candidate] = answer.candidates;
  const output = inside(left, "output");
  const message = inside(output, "message");
  const members = {
    output:
      candidate &&
      compact(
        { message: compact({ role: roleOf(message), ...contentOf(answer, report) }, message) },
        output,
      ),
    stopReason: candidate?.stop && writeStop(candidate.stop, { origin: "bedrock", report }),
    usage: answer.usage && writeIrUsage(answer.usage, report),
    serviceTier: tierOf(answer.tier, inside(left, "serviceTier")),
  };
  return compact(members, left);
}

function writeForeign(answer: IrAnswer, { report, asked }: AnswerContext): JsonObject {
  const [candidate, ...more] = answer.candidates;
  if (more.length > 0) report({ code: "L-N", path: "candidates[1]", action: "dropped" });
  const isBlocked = candidate === undefined || answer.blocked !== undefined;
  const stop = candidate?.stop ?? (isBlocked ? BLOCKED : undefined);
  const paths = asked.ext?.bedrock?.["additionalModelResponseFieldPaths"];
  return compact({
    output: { message: { role: "assistant", ...contentOf(answer, report) } },
    stopReason: writeStop(stop, { origin: answer.origin, report }),
    usage: writeIrUsage(answer.usage, report),
    metrics: UNTIMED,
    additionalModelResponseFields: askedSequence(stop, paths),
    serviceTier: knownTier(answer.tier),
  });
}

/** A prompt that was blocked is answered, with nothing in it: protocols.md §4.2. */
const BLOCKED = { kind: "content_filter" } as const;

function contentOf(
  { candidates: [candidate], origin }: IrAnswer,
  report: AnswerContext["report"],
): { readonly content: readonly JsonObject[] } {
  const path = "candidates[0].blocks";
  const context = { own: origin === "bedrock", report, names: new DocumentNames(), path };
  return { content: writeBlocks(candidate?.blocks ?? [], { ...context, textBefore: 0 }) };
}

function roleOf(left: JsonObject | undefined): string | undefined {
  return left?.["role"] === undefined ? "assistant" : undefined;
}

/** Other protocols' words for a tier mean nothing to Bedrock's clients. */
function knownTier(tier: string | undefined): JsonObject | undefined {
  return unlessEmpty(
    compact({ type: capabilities.tiers.find((known) => known === tier) }),
    undefined,
  );
}
