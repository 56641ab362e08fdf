import type { Candidate, IrAnswer, Stop } from "../ir/answer.ts";
import type { Block, Citation } from "../ir/block.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { candidateIndex } from "./candidate-ends.ts";
import { readLogprobs } from "./logprobs.ts";
import { type PlacedText, readCitations } from "./read-citations.ts";
import { readPart } from "./read-part.ts";
import { readStop } from "./stop.ts";
import { readIrUsage } from "./usage.ts";

/** A whole answer. What is worked out of its metadata stands there too, for its own protocol. */
export function readAnswer(body: JsonObject): IrAnswer {
  const fields = new Fields(body);
  const usage = fields.object("usageMetadata");
  const feedback = readFeedback(fields.peek("promptFeedback"));
  if (feedback !== undefined) fields.skip("promptFeedback");
  const list = fields.peek("candidates");
  const isRead = isList(list) && list.length > 0 && list.every(isObject);
  if (isRead) fields.skip("candidates");
  const answer = {
    origin: "gemini" as const,
    id: fields.text("responseId"),
    model: fields.text("modelVersion"),
    createdAt: readTime(fields.peek("createTime")),
    candidates: isRead ? list.map(readCandidate) : [],
    usage: usage && readIrUsage(usage),
    blocked: feedback?.blocked,
  };
  const rest = compact({ promptFeedback: feedback?.rest }, fields.ext("gemini")?.gemini);
  return Object.keys(rest).length === 0 ? answer : { ...answer, ext: { gemini: rest } };
}

export interface ReadFeedback {
  readonly blocked: NonNullable<IrAnswer["blocked"]>;
  readonly rest: JsonObject | undefined;
}

/** Why the prompt was blocked; undefined when it was not. */
export function readFeedback(value: Json | undefined): ReadFeedback | undefined {
  if (!isObject(value)) return undefined;
  const fields = new Fields(value);
  const reason = fields.text("blockReason");
  if (reason === undefined) return undefined;
  const message = fields.text("blockReasonMessage");
  return { blocked: { reason, message }, rest: fields.ext("gemini")?.gemini };
}

/** Seconds since 1970 of a protobuf timestamp. */
export function readTime(value: Json | undefined): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}

function readCandidate(candidate: JsonObject, place: number): Candidate {
  const fields = new Fields(candidate);
  const content = readContent(fields.peek("content"));
  if (content !== undefined) fields.skip("content");
  const blocks = content?.blocks ?? [];
  const hasCalls = blocks.some(({ type }) => type === "tool_call");
  const stop = readStopOf(fields, { hasCalls });
  return {
    index: candidateIndex(candidate, place),
    blocks: annotated(blocks, candidate),
    stop,
    ext: { gemini: compact({ content: content?.rest }, fields.ext("gemini")?.gemini) },
  };
}

/** Why a candidate ended; takes nothing where it does not say. */
export function readStopOf(
  fields: Fields,
  { hasCalls }: { readonly hasCalls: boolean },
): Stop | undefined {
  const raw = fields.text("finishReason");
  if (raw === undefined) return undefined;
  return { ...readStop(raw, { hasCalls }), detail: fields.text("finishMessage") };
}

interface ReadContent {
  readonly blocks: readonly Block[];
  readonly rest: JsonObject;
}

function readContent(value: Json | undefined): ReadContent | undefined {
  if (!isObject(value)) return undefined;
  const fields = new Fields(value);
  const parts = fields.peek("parts");
  const isRead = isList(parts) && parts.length > 0 && parts.every(isObject);
  if (isRead) fields.skip("parts");
  const rest = fields.ext("gemini")?.gemini ?? compact({});
  return { blocks: isRead ? parts.map((part) => readPart(part)) : [], rest };
}

/** The blocks with the citations and log probabilities that stand beside them on this wire. */
function annotated(blocks: readonly Block[], candidate: JsonObject): readonly Block[] {
  const texts = blocks.flatMap((block, place): PlacedText[] =>
    block.type === "text" ? [{ block: place, part: place, text: block.text }] : [],
  );
  const citations = new Map<number, Citation[]>();
  for (const { block, citation } of readCitations(candidate, texts, "block")) {
    const known = citations.get(block);
    if (known === undefined) citations.set(block, [citation]);
    else known.push(citation);
  }
  const logprobs = readLogprobs(candidate["logprobsResult"]);
  const [first] = texts;
  return blocks.map((block, place) => {
    if (block.type !== "text") return block;
    const cited = citations.get(place);
    const isFirst = place === first?.block && logprobs.length > 0;
    if (cited === undefined && !isFirst) return block;
    return { ...block, citations: cited, logprobs: isFirst ? logprobs : undefined };
  });
}
