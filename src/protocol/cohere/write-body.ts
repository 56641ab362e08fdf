import type {
  Block,
  MediaBlock,
  ReasoningBlock,
  SearchResultBlock,
  TextBlock,
  TokenLogprob,
} from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { writeImage } from "./media.ts";
import { withOwn } from "./own.ts";
import { pointText, writeCitation } from "./write-citations.ts";
import { writeCall } from "./write-tools.ts";

/** What one message says, by its members. */
export interface WrittenBody {
  readonly plan: string | undefined;
  readonly contents: readonly JsonObject[];
  readonly calls: readonly JsonObject[];
  readonly citations: readonly JsonObject[];
  readonly logprobs: readonly TokenLogprob[];
}

export interface BodyContext {
  readonly isOwn: boolean;
  readonly report: Report;
  readonly pathOf: (block: Block, index: number) => string;
  /** Pictures have a place here. */
  readonly images: boolean;
  /** Where documents go; undefined in an answer, which has no place for them. */
  readonly documents: JsonObject[] | undefined;
}

interface Draft {
  plan: string | undefined;
  readonly contents: JsonObject[];
  readonly calls: JsonObject[];
  readonly citations: JsonObject[];
  readonly logprobs: TokenLogprob[];
}

/** Sorts blocks into the members of a message; what has no place is reported. */
export function writeBody(blocks: readonly Block[], context: BodyContext): WrittenBody {
  const draft: Draft = { plan: undefined, contents: [], calls: [], citations: [], logprobs: [] };
  for (const [index, block] of blocks.entries()) {
    const path = context.pathOf(block, index);
    const before = draft.contents.length;
    writeBlock(block, draft, { ...context, path });
    // Of a request `prepare` has said so.
    const isMoved = draft.contents.length > before && draft.calls.length > 0;
    if (isMoved && context.documents === undefined)
      context.report({ code: "L-ORDER", path, action: "moved" });
  }
  return draft;
}

/** A search result as a document the model can cite. */
export function documentOf({ source, title, content }: SearchResultBlock): JsonObject {
  const text = content.map((block) => block.text).join("\n\n");
  return { id: source, data: compact({ title, text, url: source }) };
}

type BlockContext = BodyContext & { readonly path: string };

function writeBlock(block: Block, draft: Draft, context: BlockContext): void {
  const { isOwn, report, path } = context;
  switch (block.type) {
    case "text":
      return writeText(block, draft, context);
    case "refusal":
      draft.contents.push({ type: "text", text: block.text });
      return;
    case "reasoning":
      return writeReasoning(block, draft, context);
    case "tool_call":
      draft.calls.push(writeCall(block, isOwn));
      return;
    case "media":
      return writeMedia(block, draft, context);
    case "search_result":
      if (context.documents !== undefined) context.documents.push(documentOf(block));
      else report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: block.type });
      return;
    case "opaque":
      if (block.vendor === "cohere") draft.contents.push(block.raw);
      else report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: block.wireType });
      return;
    case "hosted_call":
    case "hosted_result":
      return report({ code: "L-HOSTED", path, action: "dropped", detail: block.toolType });
    case "cache_mark":
      return report({ code: "L-CACHE", path, action: "dropped" });
    case "tool_result":
    case "compaction":
      return report({ code: "L-UNKNOWN-BLOCK", path, action: "dropped", detail: block.type });
  }
}

function writeText(block: TextBlock, draft: Draft, { report, path }: BlockContext): void {
  const index = draft.contents.length;
  draft.contents.push(withOwn({ type: "text", text: block.text }, block));
  if (block.logprobs !== undefined) draft.logprobs.push(...block.logprobs);
  if (block.citations === undefined) return;
  const text = pointText(block.text);
  for (const citation of block.citations) {
    draft.citations.push(writeCitation(citation, { index, text, path, report }));
  }
}

/** The text has a place; a proof of it has none, nor has what is sealed. */
function writeReasoning(block: ReasoningBlock, draft: Draft, context: BlockContext): void {
  const { report, path } = context;
  const text = block.text ?? block.summary?.join("\n\n");
  if (block.planOf === "tool") {
    draft.plan = (draft.plan ?? "") + (text ?? "");
    return;
  }
  const isSecret = block.signature !== undefined || block.sealed !== undefined;
  const isEmpty = text === undefined || (text === "" && isSecret);
  if (!isEmpty) draft.contents.push(withOwn({ type: "thinking", thinking: text }, block));
  if (isSecret || isEmpty) {
    report({ code: "L-REASONING-FOREIGN", path, action: isEmpty ? "dropped" : "approximated" });
  }
}

/** Text of a document can stand beside the messages: protocols.md 8, Anth and Coh. */
function writeMedia(block: MediaBlock, draft: Draft, context: BlockContext): void {
  const { report, path, documents } = context;
  const { source, kind } = block;
  if (kind === "image" && context.images) {
    const image = writeImage(block, { path, report });
    if (image !== undefined) draft.contents.push(image);
  } else if (kind === "document" && source.kind === "text" && documents !== undefined) {
    const title = block.title ?? block.filename;
    documents.push({ data: compact({ title, text: source.text }) });
  } else {
    const code = documents === undefined ? "L-MODALITY" : "L-UNKNOWN-BLOCK";
    report({ code, path, action: "dropped", detail: kind });
  }
}
