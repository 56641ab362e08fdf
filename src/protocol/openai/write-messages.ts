import { printJson } from "../../wire/exact-json.ts";
import type { Block, CacheMark, ResultContent, ToolResultBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { IrRequest, Message } from "../ir/request.ts";
import { writeCacheMark } from "./cache-mark.ts";
import { ownExt } from "./rest.ts";
import { spelled, spellingOf } from "./spelling.ts";
import { contentOf, writeAssistant, writeContent } from "./write-assistant.ts";
import { lost, type PartContext } from "./write-parts.ts";

/** `messages`: a top slot of another protocol comes first, as this wire has none. */
export function writeMessages(
  { system, systemBareString = false, messages }: IrRequest,
  context: PartContext,
): readonly JsonObject[] {
  const top: readonly Message[] =
    system.length === 0 ? [] : [{ role: "system", blocks: system, bareString: systemBareString }];
  return [...top, ...messages].flatMap((message) => writeMessage(message, context));
}

function writeMessage(message: Message, context: PartContext): readonly JsonObject[] {
  const { role, name, blocks, bareString = false } = message;
  const spelling = spellingOf(message);
  if (role === "tool") return writeResults(message, context);
  const plain = plainText(message, context);
  if (plain !== undefined) return [compact({ role, content: plain, name }, ownExt(message))];
  const mark = writeCacheMark(messageMark(blocks), context.capabilities);
  const own = withoutMessageMark(blocks);
  if (role === "assistant") {
    const said = writeAssistant({ blocks: own, bareString, spelling }, context);
    return [compact({ role, name, ...said, ...mark }, ownExt(message))];
  }
  // Results stand before what the user says: they answer the turn before.
  const results = own.filter((block) => block.type === "tool_result");
  const list = contentOf(own).filter((block) => block.type !== "tool_result");
  const before = results.map((result) => writeResult(result, context));
  if (list.length === 0 && results.length > 0) return before;
  const content = writeContent(list, { ...context, bareString });
  const said = content ?? (context.isOwn ? undefined : "");
  return [...before, compact({ role, content: said, name, ...mark }, ownExt(message))];
}

/** What most messages are: one text and nothing else, which is written without further looks. */
function plainText({ blocks }: Message, { isOwn }: PartContext): string | undefined {
  const [only] = blocks;
  if (isOwn || blocks.length !== 1 || only?.type !== "text") return undefined;
  const { text, cache, proof, citations } = only;
  const isPlain = (cache ?? proof ?? citations) === undefined;
  return isPlain ? text : undefined;
}

/** The mark that stood on the message itself, not on a part of it. */
function messageMark(blocks: readonly Block[]): CacheMark | undefined {
  const last = blocks.at(-1);
  const cache = last?.type === "cache_mark" ? undefined : last?.cache;
  return cache !== undefined && spellingOf(cache).raw === "message" ? cache : undefined;
}

/** Written by its message, so not once more by the block: whose spelling it keeps. */
function withoutMessageMark(blocks: readonly Block[]): readonly Block[] {
  const last = blocks.at(-1);
  if (last === undefined || messageMark(blocks) === undefined) return blocks;
  return blocks.with(-1, spelled({ ...last, cache: undefined } as Block, spellingOf(last)));
}

function writeResults(message: Message, context: PartContext): readonly JsonObject[] {
  const isLegacy = spellingOf(message).slot === "function";
  return message.blocks.flatMap((block) => {
    const role = isLegacy ? "function" : "tool";
    if (block.type !== "tool_result") return lost(block, "L-UNKNOWN-BLOCK", context);
    const mark = writeCacheMark(messageMark([block]), context.capabilities);
    const said = { ...writeResult(block, context), role, ...mark };
    return [compact(said, ownExt(message))];
  });
}

function writeResult(result: ToolResultBlock, context: PartContext): JsonObject {
  const { callId, name, content, bareString = false } = result;
  const list = withMark(content.map(partOf), messageMark([result]) ? undefined : result.cache);
  const said = writeContent(list, { ...context, bareString });
  return compact({
    role: "tool",
    tool_call_id: callId,
    // Other wires need the name; here only some hosts know it.
    name: context.isOwn ? name : undefined,
    content: said ?? (context.isOwn ? undefined : ""),
  });
}

function partOf(part: ResultContent): Block {
  return part.type === "json" ? { type: "text", text: printJson(part.value) } : part;
}

/** A mark on a result is one on its last part: results have no member for it. */
function withMark(list: readonly Block[], mark: CacheMark | undefined): readonly Block[] {
  const last = list.at(-1);
  if (mark === undefined || last === undefined || last.type === "cache_mark") return list;
  return last.cache === undefined ? list.with(-1, { ...last, cache: mark }) : list;
}
