import { argsText } from "../ir/args.ts";
import type { Block, ReasoningBlock, ToolCallBlock } from "../ir/block.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { formOf } from "./item-form.ts";
import { reasoningPart, summaryPart } from "./item-parts.ts";
import { itemOf, writeParts } from "./write-parts.ts";

/** How the items of an assistant's turn are written in a request. */
export interface ItemContext {
  /** Read from this wire, so nothing may be added. */
  readonly own: boolean;
  readonly report: Report;
}

/** The items of one assistant's turn, one message for each run of text. */
export function writeItems(blocks: readonly Block[], context: ItemContext): readonly JsonObject[] {
  const items: JsonObject[] = [];
  for (let at = 0; at < blocks.length;) {
    const length = runLength(blocks, at);
    if (length > 0) {
      items.push(writeMessage(blocks.slice(at, at + length), context));
      at += length;
    } else {
      const item = writeItem(blocks[at++]!, context);
      if (item !== undefined) items.push(item);
    }
  }
  return items;
}

/** How many blocks from there on are parts of one message. */
export function runLength(blocks: readonly Block[], start: number): number {
  const first = blocks[start];
  if (first === undefined || !isPart(first)) return 0;
  let end = start + 1;
  while (end < blocks.length && isPart(blocks[end]!) && isSame(first, blocks[end]!)) end++;
  return end - start;
}

/** A part of unknown type has the group of its message; an unknown item has none. */
function isPart(block: Block): boolean {
  if (block.type === "opaque") return block.group !== undefined;
  return block.type === "text" || block.type === "refusal";
}

function isSame(first: Block, other: Block): boolean {
  return "group" in first && "group" in other
    ? first.group === other.group && first.id === other.id
    : !("group" in first) && !("group" in other);
}

function writeMessage(run: readonly Block[], context: ItemContext): JsonObject {
  const [first, ...more] = run;
  const base = first?.type === "text" || first?.type === "refusal" ? first : undefined;
  const group = first !== undefined && "group" in first ? first.group : undefined;
  const form = formOf(group);
  const parts = writeParts(run, { ...context, speaker: "assistant" });
  // Hosts of this wire take a bare string more often than a list from another's history.
  const isPlain = !context.own && more.length === 0 && isPlainText(base);
  const isBare = form?.bare === true || isPlain;
  return compact(
    {
      type: form?.typed === true ? "message" : undefined,
      id: idOf(first),
      status: form?.status,
      role: "assistant",
      phase: phaseOf(first),
      content: isBare && base?.type === "text" ? base.text : parts,
    },
    itemOf(first?.ext?.responses),
  );
}

function isPlainText(block: Block | undefined): boolean {
  return block?.type === "text" && block.cache === undefined;
}

function idOf(block: Block | undefined): string | undefined {
  return block !== undefined && "id" in block ? block.id : undefined;
}

function phaseOf(block: Block | undefined): string | undefined {
  return block !== undefined && "phase" in block ? block.phase : undefined;
}

function writeItem(block: Block, context: ItemContext): JsonObject | undefined {
  switch (block.type) {
    case "reasoning":
      return writeReasoning(block);
    case "tool_call":
      return writeCall(block, context.own);
    case "hosted_call":
    case "hosted_result":
    case "compaction":
    case "opaque":
      if (block.vendor === "responses") return block.raw;
      break;
    case "media":
      context.report({ code: "L-ASSISTANT-MEDIA", path: block.at ?? "media", action: "dropped" });
      return undefined;
    default:
      break;
  }
  const isHosted = block.type === "hosted_call" || block.type === "hosted_result";
  const code = isHosted ? "L-HOSTED" : "L-UNKNOWN-BLOCK";
  context.report({ code, path: block.at ?? block.type, action: "dropped", detail: block.type });
  return undefined;
}

/** Reasoning as it goes back to its issuer: another's `prepare` has dropped. */
export function writeReasoning(block: ReasoningBlock): JsonObject {
  const { id, group, text, summary, sealed, signature } = block;
  const ext = block.ext?.responses;
  const isKept = ext?.["content"] !== undefined;
  const members = {
    type: "reasoning",
    id,
    summary: ext?.["summary"] === undefined ? (summary ?? []).map(summaryPart) : undefined,
    content: text === undefined || isKept ? undefined : [reasoningPart(text)],
    encrypted_content: sealed?.value ?? signature?.value,
    status: formOf(group)?.status,
  };
  return compact(members, ext);
}

/** A call in the history; no arguments are `{}` to this wire, unless it said so itself. */
export function writeCall(block: ToolCallBlock, own: boolean): JsonObject {
  const { id, callId, name, namespace, freeform, status } = block;
  const isText = own || freeform === true;
  const args = isText && block.args !== undefined ? block.args : argsText(block);
  const members = {
    type: freeform === true ? "custom_tool_call" : "function_call",
    id,
    call_id: callId,
    name,
    namespace,
    ...(freeform === true ? { input: args } : { arguments: args }),
    status,
  };
  return compact(members, block.ext?.responses);
}
