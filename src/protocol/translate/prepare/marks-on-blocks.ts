import type { Block, CacheMarkBlock, ResultContent } from "../../ir/block.ts";
import type { IrRequest, SystemBlock, Tool } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";
import { isBlank } from "./text.ts";

/** Bedrock's marks of their own put on what they follow, so that every pass finds them there. */
export function marksOnBlocks(request: IrRequest, fit: Fit): IrRequest {
  const { tools, system, messages } = request;
  const hasMarks =
    tools?.some(({ kind }) => kind === "cache_mark") === true ||
    system.some(isMark) ||
    messages.some(({ blocks }) => blocks.some(isMark));
  if (!hasMarks) return request;
  return {
    ...request,
    tools: tools && onTools(tools, fit),
    system: onBlocks(system, fit),
    messages: messages.map((message) =>
      message.blocks.some(isMark)
        ? { ...message, blocks: onBlocks(message.blocks, fit), bareString: undefined }
        : message,
    ),
  };
}

function isMark({ type }: Block): boolean {
  return type === "cache_mark";
}

function onBlocks<T extends Block | SystemBlock>(blocks: readonly T[], fit: Fit): readonly T[] {
  const marked: T[] = [];
  for (const block of blocks) {
    if (block.type !== "cache_mark") {
      marked.push(block);
      continue;
    }
    const index = marked.findLastIndex(carriesMark);
    const before = marked[index];
    dropExt(block, { kind: "mark", path: block.at ?? fit.paths.messages, fit });
    if (before === undefined) lost(block, fit);
    else marked[index] = { ...before, cache: block.cache };
  }
  return marked;
}

function lost(block: CacheMarkBlock, fit: Fit): void {
  fit.lose("L-CACHE", block.at ?? fit.paths.messages);
}

/** Whether a block can carry a mark, and will not itself be left out. */
export function carriesMark(block: Block | ResultContent): boolean {
  switch (block.type) {
    case "text":
    case "refusal":
      return !isBlank(block.text);
    case "media":
    case "search_result":
    case "tool_call":
    case "tool_result":
    case "json":
      return true;
    case "reasoning":
    case "hosted_call":
    case "hosted_result":
    case "compaction":
    case "opaque":
    case "cache_mark":
      return false;
  }
}

function onTools(tools: readonly Tool[], fit: Fit): readonly Tool[] {
  const marked: Tool[] = [];
  for (const tool of tools) {
    if (tool.kind !== "cache_mark") {
      marked.push(tool);
      continue;
    }
    const index = marked.findLastIndex(({ kind }) => kind !== "hosted");
    const before = marked[index];
    if (before === undefined || before.kind === "hosted") {
      fit.lose("L-CACHE", tool.at ?? fit.paths.tools);
    } else {
      marked[index] = { ...before, cache: tool.cache };
    }
  }
  return marked;
}
