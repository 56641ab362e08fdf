import type { AnswerContext } from "../codec.ts";
import type { IrAnswer } from "../ir/answer.ts";
import type { Block, TextBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { LossCode } from "../ir/loss.ts";
import { cutText } from "./cut-text.ts";
import { lacksCounts, writeIrUsage } from "./ir-usage.ts";
import { writeBlocks } from "./write-blocks.ts";
import { blockedStop, refusing, writeStop } from "./write-stop.ts";
import type { Writing } from "./writing.ts";

/** A whole answer as Anthropic would give it: protocols.md 4, column Anth. */
export function writeAnswer(answer: IrAnswer, context: AnswerContext): JsonObject {
  const isOwn = answer.origin === "anthropic";
  const report = isOwn ? () => {} : context.report; // What came from here has its place here.
  const writing: Writing = { isOwn, isAnswer: true, report };
  const [candidate, ...more] = answer.candidates;
  if (more.length > 0) report({ code: "L-N", path: "candidates", action: "dropped" });
  if (lacksCounts(answer.usage)) report({ code: "L-USAGE", path: "usage", action: "defaulted" });
  const blocks = candidate?.blocks ?? [];
  const hasRefusal = blocks.some(({ type }) => type === "refusal");
  const stop = refusing(candidate?.stop ?? blockedStop(answer.blocked), hasRefusal);
  return compact(
    {
      model: answer.model ?? context.asked.model,
      id: isOwn ? answer.id : mintedId(context),
      type: "message",
      role: "assistant",
      content: isOwn ? writeBlocks(blocks, writing) : writeContent(blocks, writing),
      ...writeStop(stop, writing),
      usage: writeIrUsage(answer.usage),
    },
    answer.ext?.anthropic,
  );
}

/** An id that looks native and is the same for the same request: protocols.md 4.1. */
export function mintedId({ requestId }: AnswerContext): string {
  return `msg_${requestId.replace(/^req_/, "").replace(/[^A-Za-z0-9_-]/g, "")}`;
}

function writeContent(blocks: readonly Block[], writing: Writing): readonly JsonObject[] {
  const content: JsonObject[] = [];
  let offset = 0;
  for (const [index, block] of blocks.entries()) {
    const path = `candidates[0].blocks[${index}]`;
    const lose = (code: LossCode, action: "dropped" | "approximated" = "dropped") =>
      writing.report({ code, path, action });
    if ("logprobs" in block && (block.logprobs?.length ?? 0) > 0) lose("L-LOGPROBS");
    switch (block.type) {
      case "text": {
        const pieces = cutBlock(block, { offset, at: path });
        if (pieces.length > 1) lose("L-CITE-SPLIT", "approximated");
        content.push(...writeBlocks(pieces, writing));
        offset += Array.from(block.text).length;
        break;
      }
      case "media": {
        const { transcript } = block;
        lose(transcript === undefined ? "L-ASSISTANT-MEDIA" : "L-MODALITY");
        if (transcript !== undefined) content.push({ type: "text", text: transcript });
        break;
      }
      case "refusal":
      case "reasoning":
      case "tool_call":
      case "tool_result":
      case "search_result":
      case "hosted_call":
      case "hosted_result":
      case "cache_mark":
      case "compaction":
      case "opaque":
        content.push(...writeBlocks([{ ...block, at: path }], writing));
    }
  }
  return content;
}

function cutBlock(
  block: TextBlock,
  { offset, at }: { readonly offset: number; readonly at: string },
): readonly TextBlock[] {
  const { text, citations = [] } = block;
  return cutText({ text, citations }, offset).map((piece) => ({
    type: "text",
    text: piece.text,
    citations: piece.citations.length === 0 ? undefined : piece.citations,
    at,
  }));
}
