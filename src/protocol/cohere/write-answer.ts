import type { RequestId } from "../../core/ids.ts";
import type { AnswerContext } from "../codec.ts";
import type { Candidate, IrAnswer, Stop } from "../ir/answer.ts";
import type { Block } from "../ir/block.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { writeLogprob } from "./logprobs.ts";
import { spellingOf, withOwn } from "./own.ts";
import { writeStop } from "./stop.ts";
import { writeIrUsage } from "./usage.ts";
import { writeBody, type WrittenBody } from "./write-body.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A whole answer. Of several candidates the first one is given. */
export function writeAnswer(answer: IrAnswer, context: AnswerContext): JsonObject {
  const isOwn = answer.origin === "cohere";
  const report = isOwn ? nothing : context.report;
  const [candidate, ...more] = answer.candidates;
  if (more.length > 0) report({ code: "L-N", path: "candidates[1]", action: "dropped" });
  if (candidate === undefined && isOwn) {
    return withOwn({ id: answer.id, usage: writeUsage(answer, report) }, answer);
  }
  const { message, body } = writeMessage(candidate ?? BLOCKED, { isOwn, report });
  const { stop = isOwn ? undefined : PLAIN_END } = candidate ?? BLOCKED;
  return withOwn(
    {
      id: isOwn ? answer.id : answerId(answer.id, context.requestId),
      message,
      finish_reason: stop && writeStop(stop, report),
      usage: writeUsage(answer, report),
      logprobs: writeLogprobs(candidate?.blocks ?? [], { body, isOwn, report }),
    },
    answer,
  );
}

/** An id of this wire's kind stays; any other is replaced by one made of the request's. */
export function answerId(id: string | undefined, requestId: RequestId): string {
  if (id !== undefined && UUID.test(id)) return id;
  const hex = new Bun.CryptoHasher("sha256").update(requestId).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ];
  return `${parts.join("-")}-${hex.slice(20, 32)}`;
}

const PLAIN_END: Stop = { kind: "end" };
/** A prompt that was blocked: an empty answer, not an error. protocols.md 4.2. */
const BLOCKED: Candidate = { index: 0, blocks: [], stop: { kind: "content_filter" } };

interface Context {
  readonly isOwn: boolean;
  readonly report: Report;
}

function writeMessage(
  candidate: Candidate,
  { isOwn, report }: Context,
): { readonly message: JsonObject; readonly body: WrittenBody } {
  const body = writeBody(candidate.blocks, {
    isOwn,
    report,
    pathOf: (_, index) => `candidates[0].blocks[${index}]`,
    images: isOwn,
    documents: undefined,
  });
  const { plan, contents, calls, citations } = body;
  const isSilent = plan === undefined && calls.length === 0;
  const message = withOwn(
    {
      role: "assistant",
      tool_plan: plan,
      content: contentOf(contents, {
        isBare: isOwn && candidate.bareString === true,
        isDue: isSilent && !isOwn,
      }),
      tool_calls: calls.length > 0 ? calls : undefined,
      citations: citations.length > 0 ? citations : undefined,
    },
    candidate,
  );
  return { message, body };
}

/** A list, which only an answer of calls goes without. */
function contentOf(
  contents: readonly JsonObject[],
  { isBare, isDue }: { readonly isBare: boolean; readonly isDue: boolean },
): Json | undefined {
  if (isBare) return contents[0]?.["text"];
  return contents.length > 0 || isDue ? contents : undefined;
}

function writeUsage({ usage, origin }: IrAnswer, report: Report): JsonObject | undefined {
  return usage === undefined && origin === "cohere" ? undefined : writeIrUsage(usage, report);
}

function writeLogprobs(
  blocks: readonly Block[],
  { body, isOwn, report }: Context & { readonly body: WrittenBody },
): Json | undefined {
  const raw = blocks.map((block) => spellingOf(block).raw).find((kept) => Array.isArray(kept));
  if (isOwn && raw !== undefined) return raw;
  if (body.logprobs.length === 0) return undefined;
  // No bytes, no alternatives, and no number of a token that its source did not tell.
  report({ code: "L-LOGPROBS", path: "candidates[0].logprobs", action: "approximated" });
  return body.logprobs.map(writeLogprob);
}

function nothing(): void {
  return undefined;
}
