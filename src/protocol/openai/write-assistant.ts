import { argsText } from "../ir/args.ts";
import type { Block, ToolCallBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { marksAnything, writeCacheMark } from "./cache-mark.ts";
import { writeAnnotations } from "./citations.ts";
import { ownExt, ownExtAt } from "./rest.ts";
import { type Spelling, spellingOf } from "./spelling.ts";
import { type PartContext, writeParts } from "./write-parts.ts";
import { writeReasoning } from "./write-reasoning.ts";

/** An assistant's turn, of a history or of an answer, before it is a message. */
export interface Turn {
  readonly blocks: readonly Block[];
  readonly bareString: boolean;
  readonly spelling: Spelling;
}
type Members = Record<string, Json | undefined>;

/** The members of an assistant's message in a request, but for its role and its name. */
export function writeAssistant(turn: Turn, context: PartContext): Members {
  const { blocks, spelling } = turn;
  const list = contentOf(blocks);
  const { tool_calls, function_call } = writeCalls(blocks, context);
  const content = writeContent(list, { ...context, bareString: turn.bareString });
  const hasCalls = tool_calls !== undefined || function_call !== undefined;
  return {
    // OpenAI wants the member there where nothing else is.
    content: content ?? (context.isOwn || hasCalls ? undefined : ""),
    refusal: refusalOf(blocks),
    ...writeReasoning(blocks, context),
    ...spelling.beside,
    ...ownAnnotations(list),
    audio: audioOf(blocks),
    tool_calls,
    function_call,
  };
}

export interface ContentContext extends PartContext {
  readonly bareString: boolean;
}

/** Blocks that stand in `content`; the others have members of their own. */
export function contentOf(blocks: readonly Block[]): readonly Block[] {
  return blocks.filter((block) => {
    const { slot } = spellingOf(block);
    switch (block.type) {
      case "tool_call":
        return false;
      case "refusal":
      case "reasoning":
        return slot === "part";
      case "media":
        return slot !== "audio";
      case "opaque":
        return slot === undefined;
      default:
        return true;
    }
  });
}

/**
 * A list of parts, or a text where one plain text is all there is: many hosts refuse lists in the
 * messages of anyone but the user. Undefined where nothing is left to say.
 */
export function writeContent(list: readonly Block[], context: ContentContext): Json | undefined {
  const [only] = list;
  const isPlain = list.length === 1 && only?.type === "text" && only.cache === undefined;
  if (isPlain && (context.bareString || !context.isOwn)) return only.text;
  const parts = writeParts(list, context);
  return parts.length === 0 ? undefined : parts;
}

function refusalOf(blocks: readonly Block[]): string | undefined {
  const texts = blocks.flatMap((block) =>
    block.type === "refusal" && spellingOf(block).slot !== "part" ? [block.text] : [],
  );
  return texts.length === 0 ? undefined : texts.join("\n\n");
}

function ownAnnotations(list: readonly Block[]): Members {
  const citations = list.flatMap((block) => (block.type === "text" ? (block.citations ?? []) : []));
  // What has no place in a history is no loss: it is the model's own work.
  const own = citations.filter(({ span }) => span?.of === "message");
  const annotations = own.flatMap((each) => writeAnnotations(each, { start: 0, end: 0 }));
  return annotations.length === 0 ? {} : { annotations };
}

function audioOf(blocks: readonly Block[]): JsonObject | undefined {
  for (const block of blocks) {
    if (block.type !== "media" || spellingOf(block).slot !== "audio") continue;
    const { source, id, transcript } = block;
    if (source.kind === "reference") return source.raw;
    const data = source.kind === "base64" ? source.data : undefined;
    return compact({ id, data, transcript }, ownExt(block));
  }
  return undefined;
}

interface Calls {
  readonly tool_calls?: readonly JsonObject[];
  readonly function_call?: JsonObject;
}

/** The calls of a turn, the one of OpenAI's first tools apart. */
export function writeCalls(blocks: readonly Block[], context: PartContext): Calls {
  const calls: JsonObject[] = [];
  let legacy: JsonObject | undefined;
  for (const block of blocks) {
    const { slot } = spellingOf(block);
    if (block.type === "opaque" && slot === "tool_calls") calls.push(block.raw);
    if (block.type !== "tool_call") continue;
    if (slot === "function_call") legacy = writeLegacyCall(block);
    else calls.push(writeCall(block, context));
  }
  return {
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(legacy !== undefined && { function_call: legacy }),
  };
}

function writeCall(block: ToolCallBlock, context: PartContext): JsonObject {
  const { capabilities, isOwn } = context;
  const { callId, name, freeform = false, proof } = block;
  const { slot, beside } = spellingOf(block);
  const member = freeform ? "custom" : "function";
  const args = isOwn || freeform ? (block.args ?? block.argsValue) : argsText(block);
  const said = freeform ? { name, input: args } : { name, arguments: args };
  const type = slot === "untyped" ? undefined : member;
  const mayProve = isOwn || capabilities.proofSlot === "part";
  const extra =
    proof !== undefined && mayProve
      ? compact({ google: { thought_signature: proof.value } }, ownExtAt(block, "extra_content"))
      : undefined;
  const call = {
    id: callId,
    type,
    [member]: compact(said, ownExtAt(block, member)),
    extra_content: extra,
    ...markOf(block, context),
    ...beside,
  };
  return compact(call, ownExt(block));
}

function markOf(block: ToolCallBlock, context: PartContext): Record<string, JsonObject> {
  const { cache } = block;
  const { capabilities, isOwn, report } = context;
  if (cache === undefined || isOwn || marksAnything(cache, capabilities)) {
    return writeCacheMark(cache, capabilities);
  }
  report({ code: "L-CACHE", path: block.at ?? block.name, action: "dropped" });
  return {};
}

function writeLegacyCall(block: ToolCallBlock): JsonObject {
  return compact({ name: block.name, arguments: block.args ?? block.argsValue }, ownExt(block));
}
