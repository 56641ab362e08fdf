import type { RequestId } from "../../core/ids.ts";
import type { AnswerContext } from "../codec.ts";
import type { Candidate, IrAnswer } from "../ir/answer.ts";
import type { Block, ReasoningBlock, TextBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { IrRequest } from "../ir/request.ts";
import { inside } from "./media.ts";
import { writeLogprobs } from "./logprobs.ts";
import { writeBlockReason, writeStop } from "./stop.ts";
import { writeIrUsage } from "./usage.ts";
import { type CitingText, writeCitations } from "./write-citations.ts";
import { writePart } from "./write-part.ts";

/** A whole answer, as Gemini would give it. */
export function writeAnswer(answer: IrAnswer, context: AnswerContext): JsonObject {
  const { origin, candidates, usage, blocked, model } = answer;
  const { report, asked, requestId } = context;
  const own = origin === "gemini";
  const rest = own ? answer.ext?.gemini : undefined;
  const written = candidates.map((candidate, place) => {
    if (own) return writeOwnCandidate(candidate);
    return writeCandidate(candidate, { report, asked, path: `candidates[${place}]` });
  });
  return compact(
    {
      candidates: written.length === 0 ? undefined : written,
      promptFeedback:
        blocked && compact(writeBlocked(blocked, own), inside(rest, "promptFeedback")),
      usageMetadata: usage && writeIrUsage(usage, report),
      modelVersion: own ? model : (model ?? asked.model),
      responseId: own ? answer.id : responseIdOf(requestId),
    },
    rest,
  );
}

/** As Google's own look, and the same for the same request. */
export function responseIdOf(requestId: RequestId): string {
  return new Bun.CryptoHasher("sha256").update(requestId).digest("base64url").slice(0, 23);
}

type Members = { readonly [name: string]: Json | undefined };

/** Why the prompt was blocked. */
export function writeBlocked(blocked: NonNullable<IrAnswer["blocked"]>, own: boolean): Members {
  const { reason, message } = blocked;
  return { blockReason: own ? reason : writeBlockReason(reason), blockReasonMessage: message };
}

/** Citations and log probabilities stand in what was kept: nothing is worked out again. */
function writeOwnCandidate({ blocks, stop, ext }: Candidate): JsonObject {
  const report: Report = () => {};
  const parts = blocks.flatMap((block) => writePart(block, { own: true, report, path: "" }) ?? []);
  const kept = inside(ext?.gemini, "content");
  const content = compact({ parts: parts.length === 0 ? undefined : parts }, kept);
  return compact(
    {
      content: kept === undefined ? undefined : content,
      finishReason: stop?.raw,
      finishMessage: stop?.detail,
    },
    ext?.gemini,
  );
}

interface CandidateWriting {
  readonly report: Report;
  readonly asked: IrRequest;
  readonly path: string;
}

function writeCandidate(candidate: Candidate, writing: CandidateWriting): JsonObject {
  const { blocks, stop, index } = candidate;
  const { report, path } = writing;
  const { parts, texts, tokens } = writeBlocks(blocks, writing);
  return compact({
    content: compact({ parts: parts.length === 0 ? undefined : parts, role: "model" }),
    finishReason: stop && writeStop(stop, report),
    finishMessage: stop?.detail,
    index,
    groundingMetadata: writeCitations(texts, report),
    ...writeLogprobs(tokens, { report, path: `${path}.blocks` }),
  });
}

interface WrittenBlocks {
  readonly parts: readonly JsonObject[];
  readonly texts: readonly CitingText[];
  readonly tokens: NonNullable<TextBlock["logprobs"]>;
}

/**
 * Neighbouring texts become one part, as Gemini itself has it: offsets of citations count from a
 * part's start, and most clients join the texts anyway.
 */
function writeBlocks(blocks: readonly Block[], writing: CandidateWriting): WrittenBlocks {
  const { report, asked, path } = writing;
  const parts: JsonObject[] = [];
  const texts: CitingText[] = [];
  const tokens: NonNullable<TextBlock["logprobs"]>[number][] = [];
  let mergeable: TextBlock | undefined;
  for (const [place, block] of blocks.entries()) {
    const at = `${path}.blocks[${place}]`;
    if (block.type === "reasoning" && !isShown(block, asked)) continue;
    if (block.type === "text" || block.type === "refusal") tokens.push(...(block.logprobs ?? []));
    if (block.type !== "text") {
      mergeable = undefined;
      const part = writePart(block, { own: false, report, path: at });
      if (part !== undefined) parts.push(part);
      continue;
    }
    const merged: TextBlock = {
      ...block,
      text: (mergeable?.text ?? "") + block.text,
      ext: undefined,
    };
    if (mergeable !== undefined) parts.pop();
    parts.push(writePart(merged, { own: false, report, path: at }) ?? {});
    const { citations = [], text } = block;
    texts.push({ text, citations, part: parts.length - 1, path: at });
    mergeable = block.proof === undefined ? merged : undefined;
  }
  return { parts, texts, tokens };
}

/**
 * Gemini shows its thoughts to who asked for them only. One with a proof is shown nevertheless: it
 * has to come back as it was.
 */
function isShown(block: ReasoningBlock, asked: IrRequest): boolean {
  return showsThoughts(asked) || block.signature !== undefined || block.sealed !== undefined;
}

/** Whether the caller asked to see thoughts. */
export function showsThoughts({ reasoning }: IrRequest): boolean {
  return reasoning?.show === "summary" || reasoning?.show === "full";
}
