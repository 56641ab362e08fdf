import type { AnswerContext } from "../codec.ts";
import type { IrAnswer, Stop } from "../ir/answer.ts";
import type { Block } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { echoOf } from "./echo.ts";
import { endOf, identityOf, responseObject } from "./response.ts";
import { writeIrUsage } from "./usage.ts";
import { writeItems } from "./write-items.ts";
import { writeOutput } from "./write-output.ts";

/** An answer as this wire spells it; its own comes back as it was. */
export function writeAnswer(answer: IrAnswer, context: AnswerContext): JsonObject {
  return answer.origin === "responses" ? writeOwn(answer, context) : writeOther(answer, context);
}

function writeOwn(answer: IrAnswer, { report }: AnswerContext): JsonObject {
  const [candidate] = answer.candidates;
  return compact(
    {
      id: answer.id,
      object: "response",
      created_at: answer.createdAt,
      status: answer.status,
      model: answer.model,
      output: candidate && writeItems(candidate.blocks, { own: true, report }),
      service_tier: answer.tier,
      usage: answer.usage && writeIrUsage(answer.usage, report),
    },
    answer.ext?.responses,
  );
}

function writeOther(answer: IrAnswer, context: AnswerContext): JsonObject {
  const { report } = context;
  const [candidate, ...more] = answer.candidates;
  if (more.length > 0) report({ code: "L-N", path: "candidates[1]", action: "dropped" });
  const stop = candidate?.stop ?? blockedStop(answer);
  const blocks = withRefusal(candidate?.blocks ?? [], stop);
  const output = writeOutput(blocks, context);
  const usage = answer.usage && writeIrUsage(answer.usage, report);
  if (usage === undefined) report({ code: "L-USAGE", path: "usage", action: "dropped" });
  const progress = { ...endOf(stop, context), output, usage, tier: answer.tier };
  return responseObject(identityOf(answer, context), progress, echoOf(context.asked));
}

/** A blocked prompt is an empty answer that was filtered, not an error: protocols.md 4.2. */
function blockedStop({ blocked, candidates }: IrAnswer): Stop | undefined {
  if (blocked !== undefined) return { kind: "content_filter", raw: blocked.reason };
  return candidates.length === 0 ? { kind: "end" } : undefined;
}

/** Where a refusal is a stop elsewhere, it is a part here: protocols.md 4.2. */
function withRefusal(blocks: readonly Block[], stop: Stop | undefined): readonly Block[] {
  const isSaid = stop?.kind !== "refusal" || blocks.some(({ type }) => type === "refusal");
  return isSaid ? blocks : [...blocks, { type: "refusal", text: stop.detail ?? "" }];
}
