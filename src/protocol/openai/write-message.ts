import type { AnswerContext } from "../codec.ts";
import type { Candidate } from "../ir/answer.ts";
import { argsText } from "../ir/args.ts";
import type { Block, MediaBlock, TextBlock, TokenLogprob, ToolCallBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { LossCode, Report } from "../ir/loss.ts";
import { citationLoss, codePoints, writeAnnotations } from "./citations.ts";
import { writeTokens } from "./logprobs.ts";
import { Reasoning } from "./reasoning.ts";

/** Why a block of an answer has no place in a message; undefined for those that have one. */
export function answerLoss(block: Block): LossCode | undefined {
  switch (block.type) {
    case "text":
    case "refusal":
    case "reasoning":
    case "tool_call":
      return undefined;
    case "media":
      return block.kind === "audio" && block.source.kind === "base64" ? undefined : "L-MODALITY";
    case "hosted_call":
    case "hosted_result":
      return "L-HOSTED";
    case "tool_result":
    case "search_result":
    case "cache_mark":
    case "compaction":
    case "opaque":
      return "L-UNKNOWN-BLOCK";
  }
}

/** A call as it stands in a message. */
export function callOf(block: ToolCallBlock, fallbackId: string): JsonObject {
  const { name, callId = fallbackId } = block;
  return block.freeform === true
    ? { id: callId, type: "custom", custom: { name, input: block.args ?? "" } }
    : { id: callId, type: "function", function: { name, arguments: argsText(block) } };
}

/** The id of a call nobody named: calls have one here, and the SDKs send it back. */
export function fallbackId({ requestId }: AnswerContext, candidate: number, call: number): string {
  return `call_${requestId}_${candidate}_${call}`;
}

/** The message of a choice, made of another protocol's blocks. */
export function writeMessage(candidate: Candidate, context: AnswerContext): JsonObject {
  const { report } = context;
  const texts = new Texts(report);
  const reasoning = new Reasoning();
  const calls: JsonObject[] = [];
  const refusals: string[] = [];
  let audio: JsonObject | undefined;
  for (const [index, block] of candidate.blocks.entries()) {
    const path = `candidates[${candidate.index}].blocks[${index}]`;
    const code = answerLoss(block);
    if (code !== undefined) report({ code, path, action: "dropped", detail: block.type });
    if (block.type === "text") texts.add(block, { path, isLate: calls.length > 0 });
    if (block.type === "refusal") refusals.push(block.text);
    if (block.type === "reasoning") reasoning.add(block);
    if (block.type === "media" && code === undefined) audio = audioOf(block, context);
    if (block.type === "tool_call") {
      calls.push(callOf(block, fallbackId(context, candidate.index, calls.length)));
    }
  }
  const { annotations } = texts;
  return compact({
    role: "assistant",
    content: texts.text,
    refusal: refusals.length === 0 ? null : refusals.join("\n\n"),
    reasoning_content: reasoning.text,
    reasoning_details: reasoning.details,
    annotations: annotations.length === 0 ? undefined : annotations,
    audio,
    tool_calls: calls.length === 0 ? undefined : calls,
  });
}

function audioOf(block: MediaBlock, { requestId, createdAt }: AnswerContext): JsonObject {
  const { id = `audio_${requestId}`, source, transcript = "" } = block;
  const data = source.kind === "base64" ? source.data : "";
  return { id, data, expires_at: createdAt, transcript };
}

/** The texts of a message become one: where a citation stands is counted from its beginning. */
class Texts {
  readonly #report: Report;
  #text: string | null = null;
  #length = 0;
  #isMoved = false;
  readonly annotations: JsonObject[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  get text(): string | null {
    return this.#text;
  }

  add(block: TextBlock, at: { readonly path: string; readonly isLate: boolean }): void {
    const { path } = at;
    const start = this.#length;
    this.#text = (this.#text ?? "") + block.text;
    this.#length += codePoints(block.text);
    if (at.isLate && !this.#isMoved && block.text !== "") {
      this.#report({ code: "L-ORDER", path, action: "moved" });
      this.#isMoved = true;
    }
    for (const citation of block.citations ?? []) {
      const written = writeAnnotations(citation, { start, end: this.#length });
      const action = citationLoss(citation, written);
      if (action !== undefined) this.#report({ code: "L-CITE", path, action });
      this.annotations.push(...written);
    }
  }
}

interface LogprobContext {
  readonly isOwn: boolean;
  /** What else stood beside the tokens. */
  readonly rest: JsonObject | undefined;
}

/** `logprobs` of a choice; undefined where nobody told any. */
export function logprobsOf(
  blocks: readonly Block[],
  { isOwn, rest }: LogprobContext,
): JsonObject | undefined {
  const content = tokensOf(blocks, "text");
  const refusal = tokensOf(blocks, "refusal");
  if (content === undefined && refusal === undefined) return rest;
  const none = isOwn ? undefined : null;
  const members: Record<string, Json | undefined> = {
    content: content === undefined ? none : writeTokens(content, { isOwn }),
    refusal: refusal === undefined ? none : writeTokens(refusal, { isOwn }),
  };
  return compact(members, rest);
}

function tokensOf(
  blocks: readonly Block[],
  type: "text" | "refusal",
): readonly TokenLogprob[] | undefined {
  const lists = blocks.flatMap((block) =>
    block.type === type && block.logprobs !== undefined ? [block.logprobs] : [],
  );
  return lists.length === 0 ? undefined : lists.flat();
}
