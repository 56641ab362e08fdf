import type { Block, CacheMark, ResultContent } from "../../ir/block.ts";
import type { IrRequest, Message, SystemBlock, Tool } from "../../ir/request.ts";
import { CacheMarks } from "./cache-tally.ts";
import type { Fit } from "./fit.ts";
import { carriesMark } from "./marks-on-blocks.ts";

type Marked = Block | SystemBlock | ResultContent;

/**
 * The marks of a prompt cache in the target's way: on a block, behind it, or not at all. They come
 * here on blocks; tools first, as the vendors keep them: protocols.md §3.11.
 */
export function fitMarks(request: IrRequest, fit: Fit): IrRequest {
  if (!hasMarks(request)) return request;
  const placed = withAutoMark(
    { ...request, messages: request.messages.map((message) => settled(message, fit)) },
    fit,
  );
  const marks = new CacheMarks(fit, countOf(placed, fit));
  return {
    ...placed,
    tools: placed.tools && onTools(placed.tools, marks, fit),
    system: onList(placed.system, marks, fit),
    messages: placed.messages.map((message) => {
      const blocks = onList(message.blocks, marks, fit);
      return blocks === message.blocks ? message : { ...message, blocks };
    }),
  };
}

function hasMarks({ tools, system, messages, autoCache }: IrRequest): boolean {
  return (
    autoCache !== undefined ||
    tools?.some((tool) => tool.kind !== "hosted" && tool.cache !== undefined) === true ||
    system.some(isMarked) ||
    messages.some(({ blocks }) => blocks.some(isMarkedWithin))
  );
}

function isMarked(block: Marked): boolean {
  return block.cache !== undefined;
}

function isMarkedWithin(block: Block): boolean {
  return isMarked(block) || (block.type === "tool_result" && block.content.some(isMarked));
}

/** A result's mark where the target has it: on the result, or on the last part of its content. */
function settled(message: Message, fit: Fit): Message {
  const hasInner = message.blocks.some(
    (block) => block.type === "tool_result" && isMarkedWithin(block),
  );
  if (!hasInner) return message;
  const isMessage = fit.capabilities.toolResults === "tool";
  const blocks = message.blocks.map((block) => {
    if (block.type !== "tool_result" || !isMarkedWithin(block)) return block;
    const cache = block.cache ?? block.content.findLast(isMarked)?.cache;
    const content = block.content.map((part) => (isMarked(part) ? without(part) : part));
    const last = content.at(-1);
    if (!isMessage || last === undefined || !carriesMark(last)) return { ...block, content, cache };
    const marked = content.with(-1, { ...last, cache } as ResultContent);
    return { ...block, content: marked, cache: undefined };
  });
  return { ...message, blocks };
}

function without<T extends Marked>(block: T): T {
  return { ...block, cache: undefined };
}

/** Anthropic's mark on the request is one on its last block. */
function withAutoMark(request: IrRequest, fit: Fit): IrRequest {
  const { autoCache, messages } = request;
  if (autoCache === undefined || fit.target === "anthropic") return request;
  const last = messages.at(-1);
  const index = last?.blocks.findLastIndex((block) => isPlace(block, fit)) ?? -1;
  const block = last?.blocks[index];
  if (last === undefined || block === undefined || fit.capabilities.cacheMarks === "none") {
    fit.lose("L-CACHE", fit.paths.autoCache);
    return { ...request, autoCache: undefined };
  }
  const blocks = last.blocks.with(index, { ...block, cache: block.cache ?? autoCache } as Block);
  const marked = settled({ ...last, blocks }, fit);
  return { ...request, autoCache: undefined, messages: messages.with(-1, marked) };
}

/** OpenAI's wires have marks on parts of a content, so a call cannot have one. */
function isPlace(block: Marked, { capabilities, target }: Fit): boolean {
  if (capabilities.cacheMarks === "none" || !carriesMark(block)) return false;
  return block.type !== "tool_call" || (target !== "openai" && target !== "responses");
}

function isToolPlace({ capabilities }: Fit): boolean {
  return capabilities.cacheMarks !== "none" && capabilities.cacheMarksOnTools;
}

/** How many marks have a place: only of those the last few count. */
function countOf({ tools, system, messages, autoCache }: IrRequest, fit: Fit): number {
  let count = autoCache === undefined ? 0 : 1;
  const add = (blocks: readonly Marked[]): void => {
    for (const block of blocks) {
      if (isMarked(block) && isPlace(block, fit)) count += 1;
      if (block.type === "tool_result") add(block.content);
    }
  };
  if (isToolPlace(fit)) {
    for (const tool of tools ?? []) if (tool.kind !== "hosted" && tool.cache) count += 1;
  }
  add(system);
  for (const { blocks } of messages) add(blocks);
  return count;
}

function onList<T extends Marked>(blocks: readonly T[], marks: CacheMarks, fit: Fit): readonly T[] {
  if (!blocks.some((block) => isMarked(block) || block.type === "tool_result")) return blocks;
  const list: T[] = [];
  for (const block of blocks) {
    const inner = onContent(block, marks, fit);
    if (!isMarked(inner)) {
      list.push(inner);
      continue;
    }
    const path = inner.at ?? fit.paths.messages;
    const cache = isPlace(inner, fit) ? marks.take(inner.cache, path) : marks.lose(path);
    if (cache === undefined || fit.capabilities.cacheMarks === "on") {
      list.push({ ...inner, cache });
    } else {
      list.push(without(inner), markBlock(cache, inner.at) as T);
    }
  }
  return list;
}

function onContent<T extends Marked>(block: T, marks: CacheMarks, fit: Fit): T {
  if (block.type !== "tool_result" || !block.content.some(isMarked)) return block;
  return { ...block, content: onList(block.content, marks, fit) };
}

function markBlock(cache: CacheMark, at: string | undefined): Block {
  return { type: "cache_mark", cache, at };
}

function onTools(tools: readonly Tool[], marks: CacheMarks, fit: Fit): readonly Tool[] {
  return tools.flatMap((tool): readonly Tool[] => {
    if (tool.kind === "hosted" || tool.cache === undefined) return [tool];
    const { at } = tool;
    const path = at ?? fit.paths.tools;
    const cache = isToolPlace(fit) ? marks.take(tool.cache, path) : marks.lose(path);
    const bare: Tool | undefined = tool.kind === "cache_mark" ? undefined : { ...tool, cache };
    if (bare === undefined) return [];
    if (cache === undefined || fit.capabilities.cacheMarks === "on") return [bare];
    return [{ ...bare, cache: undefined } as Tool, { kind: "cache_mark", cache, at }];
  });
}
