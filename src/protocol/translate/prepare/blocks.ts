import type { Block, TextBlock } from "../../ir/block.ts";
import type { DocumentRef, Message } from "../../ir/request.ts";
import { type CallContext, fitCall, withDummyProof } from "./calls.ts";
import { asDocument as documentOf } from "./documents.ts";
import { fitAssistantMedia, fitMedia } from "./media.ts";
import { fitReasoningBlock } from "./reasoning-history.ts";
import { asDocument, fitSearchResult } from "./search-results.ts";
import { bare, fitText, pathOf } from "./text.ts";
import { fitVendorBlock } from "./vendor-blocks.ts";

export interface BlockContext extends CallContext {
  /** Documents that stand beside the messages at the target. */
  readonly documents: DocumentRef[];
  /** Index of the first message of the tool loop that is still on. */
  readonly loopStart: number;
}

/** A message's blocks but for its tool results, which go where the target wants them. */
export interface FittedBlocks {
  readonly blocks: readonly Block[];
  /** For the user's turn that comes next. */
  readonly aside: readonly Block[];
}

interface Filling {
  readonly role: Message["role"];
  readonly isInLoop: boolean;
  readonly blocks: Block[];
  readonly aside: Block[];
}

export function fitBlocks(
  { role, blocks }: Message,
  turn: number,
  context: BlockContext,
): FittedBlocks {
  const filling: Filling = {
    role,
    isInLoop: turn >= context.loopStart,
    blocks: [],
    aside: [],
  };
  for (const block of blocks) fitBlock(block, filling, context);
  const fitted = isSame(filling.blocks, blocks) ? blocks : filling.blocks;
  if (role !== "assistant") return { blocks: fitted, aside: filling.aside };
  reportOrder(fitted, context);
  return { blocks: withDummyProof(fitted, context.fit), aside: filling.aside };
}

function isSame(blocks: readonly Block[], given: readonly Block[]): boolean {
  if (blocks.length !== given.length) return false;
  return blocks.every((block, index) => block === given[index]);
}

function fitBlock(block: Block, filling: Filling, context: BlockContext): void {
  const { fit } = context;
  const { blocks, role, isInLoop } = filling;
  switch (block.type) {
    case "text":
      return put(blocks, fitText(block, fit, role === "assistant" ? role : "other"));
    case "refusal":
      return put(blocks, fitRefusal(block, context));
    case "reasoning":
      if (role === "assistant") return put(blocks, fitReasoningBlock(block, { isInLoop }, fit));
      return fit.lose("L-REASONING-FOREIGN", pathOf(block, fit));
    case "tool_call":
      return put(blocks, fitCall(block, context));
    case "tool_result":
      return;
    case "media":
      return putMedia(block, filling, context);
    case "search_result":
      if (fit.capabilities.requestDocuments) context.documents.push(asDocument(block, fit));
      else put(blocks, fitSearchResult(block, fit));
      return;
    case "hosted_call":
    case "hosted_result":
    case "compaction":
    case "opaque":
      return put(blocks, fitVendorBlock(block, fit));
    case "cache_mark":
      return put(blocks, block);
  }
}

function put(blocks: Block[], block: Block | undefined): void {
  if (block !== undefined) blocks.push(block);
}

function putMedia(
  block: Extract<Block, { readonly type: "media" }>,
  { role, blocks, aside }: Filling,
  { documents, fit }: BlockContext,
): void {
  if (role === "assistant") {
    const media = fitAssistantMedia(block, fit);
    blocks.push(...media.blocks);
    aside.push(...media.aside);
    return;
  }
  const beside =
    fit.capabilities.requestDocuments && block.kind === "document"
      ? documentOf(block, fit)
      : undefined;
  if (beside === undefined) blocks.push(...fitMedia(block, fit));
  else documents.push(beside);
}

/** Two wires know a refusal in a history; in the others it is what the assistant said. */
function fitRefusal(
  block: Extract<Block, { readonly type: "refusal" }>,
  { fit }: BlockContext,
): Block | undefined {
  const { logprobs, text, cache, at } = block;
  if (logprobs !== undefined && logprobs.length > 0) fit.lose("L-LOGPROBS", pathOf(block, fit));
  if (fit.target === "openai" || fit.target === "responses") {
    const own = bare(block, fit);
    return logprobs === undefined ? own : { ...own, logprobs: undefined };
  }
  const { ext } = block;
  const said: TextBlock = { type: "text", text, cache, ext, at };
  return fitText(said, fit);
}

/** Two wires keep calls apart from the text, so what was said after a call comes before it. */
function reportOrder(blocks: readonly Block[], { fit }: BlockContext): void {
  if (fit.target !== "openai" && fit.target !== "cohere") return;
  const first = blocks.findIndex(({ type }) => type === "tool_call");
  if (first === -1) return;
  const later = blocks.slice(first).find(({ type }) => type === "text");
  if (later !== undefined) fit.lose("L-ORDER", pathOf(later, fit), { action: "moved" });
}
