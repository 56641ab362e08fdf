import type { AnswerContext } from "../codec.ts";
import type { Candidate, IrAnswer } from "../ir/answer.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import { capabilities } from "./capabilities.ts";
import { writeIrUsage } from "./ir-usage.ts";
import { ownExt, ownExtAt } from "./rest.ts";
import { spellingOf } from "./spelling.ts";
import { finishReason } from "./stop.ts";
import { tierOf } from "./tier.ts";
import { writeAssistant } from "./write-assistant.ts";
import { logprobsOf, writeMessage } from "./write-message.ts";

/** A whole chat completion. */
export function writeAnswer(answer: IrAnswer, context: AnswerContext): JsonObject {
  return answer.origin === "openai" ? writeOwn(answer, context) : writeForeign(answer, context);
}

function writeOwn(answer: IrAnswer, context: AnswerContext): JsonObject {
  const { candidates } = answer;
  const choices = candidates.map((candidate) => writeOwnChoice(candidate, context));
  const members = {
    id: answer.id,
    created: answer.createdAt,
    model: answer.model,
    choices: choices.length === 0 ? undefined : choices,
    usage: answer.usage && writeIrUsage(answer.usage, context.report),
    service_tier: answer.tier,
    system_fingerprint: answer.fingerprint,
  };
  return compact(members, ownExt(answer));
}

function writeOwnChoice(candidate: Candidate, { report }: AnswerContext): JsonObject {
  const { blocks, bareString = false, stop } = candidate;
  const turn = { blocks, bareString, spelling: spellingOf(candidate) };
  const message = ownExtAt(candidate, "message");
  const said = writeAssistant(turn, { capabilities, report, isOwn: true });
  const members = {
    message: message && compact(said, message),
    finish_reason: stop?.raw,
    logprobs: logprobsOf(blocks, { isOwn: true, rest: ownExtAt(candidate, "logprobs") }),
  };
  return compact(members, ownExt(candidate));
}

function writeForeign(answer: IrAnswer, context: AnswerContext): JsonObject {
  const { requestId, asked, createdAt, report } = context;
  const candidates = answer.candidates.length === 0 ? [BLOCKED] : answer.candidates;
  return compact({
    id: `chatcmpl-${requestId}`,
    object: "chat.completion",
    created: answer.createdAt ?? createdAt,
    model: answer.model ?? asked.model,
    choices: candidates.map((candidate) => writeChoice(candidate, context)),
    usage: answer.usage && writeIrUsage(answer.usage, report),
    service_tier: tierOf(answer.tier),
  });
}

/** A prompt that was blocked is an answer without words, not a failure: protocols.md 4.2. */
const BLOCKED: Candidate = { index: 0, blocks: [], stop: { kind: "content_filter" } };

function writeChoice(given: Candidate, context: AnswerContext): JsonObject {
  const candidate = withRefusal(given);
  const { index, blocks, stop } = candidate;
  const { report } = context;
  const message = writeMessage(candidate, context);
  const refused = blocks.some(({ type }) => type === "refusal");
  return {
    index,
    message,
    logprobs: logprobsOf(blocks, { isOwn: false, rest: undefined }) ?? null,
    finish_reason: finishReason(stop ?? { kind: "end" }, { refused, report }),
  };
}

/** A refusal that only the stop explains is one in the message here: protocols.md 4.2. */
function withRefusal(candidate: Candidate): Candidate {
  const { blocks, stop } = candidate;
  if (stop?.kind !== "refusal" || stop.detail === undefined) return candidate;
  if (blocks.some(({ type }) => type === "refusal")) return candidate;
  return { ...candidate, blocks: [...blocks, { type: "refusal", text: stop.detail }] };
}
