import type { Block, TextBlock } from "../../ir/block.ts";
import type { IrRequest, Message, SystemBlock } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { carriesMark } from "./marks-on-blocks.ts";
import { dropExt } from "./own-words.ts";
import { fitText, pathOf } from "./text.ts";
import { fitVendorBlock } from "./vendor-blocks.ts";

/** What comes before the conversation. */
export interface FittedSystem {
  readonly system: readonly SystemBlock[];
  /** What goes into the list, where the target has no slot that takes all of it. */
  readonly first: readonly Message[];
  /** How many of the caller's messages are in either by now. */
  readonly taken: number;
}

/** The top slot and the leading run of system messages: protocols.md §3.2 rules (a) and (c). */
export function fitSystem(request: IrRequest, fit: Fit): FittedSystem {
  const { messages } = request;
  const top = systemBlocks(request.system, fit);
  if (fit.capabilities.system === "list") {
    const first: readonly Message[] = top.length === 0 ? [] : [{ role: "system", blocks: top }];
    return { system: [], first, taken: 0 };
  }
  let taken = 0;
  while (isSystem(messages[taken])) taken += 1;
  const run = messages.slice(0, taken).map((message) => fitSystemMessage(message, fit));
  const all = [...top, ...run.flatMap(({ blocks }) => blocks as readonly SystemBlock[])];
  if (fit.capabilities.system === "blocks") return { system: all, first: [], taken };
  if (!keepsApart(all, fit)) return { system: joined(all, fit), first: [], taken };
  const own: readonly Message[] = top.length === 0 ? [] : [{ role: "system", blocks: top }];
  return { system: [], first: [...own, ...run], taken };
}

export function isSystem(message: Message | undefined): boolean {
  return message?.role === "system" || message?.role === "developer";
}

/** A system message as one of the list's, with the role and the blocks the target knows. */
export function fitSystemMessage(message: Message, fit: Fit): Message {
  const { at, name } = message;
  if (name !== undefined && !fit.capabilities.messageNames) {
    fit.lose("L-NAME", at === undefined ? fit.paths.messages : `${at}.name`);
  }
  const own = dropExt(message, { kind: "message", path: at ?? fit.paths.messages, fit });
  return {
    ...own,
    role: fit.capabilities.developerRole ? own.role : "system",
    name: fit.capabilities.messageNames ? name : undefined,
    blocks: systemBlocks(own.blocks, fit),
  };
}

/** A system message between others, where the target has none there: rule (b). */
export function asUserText(message: Message, fit: Fit): Message {
  const { at } = message;
  fit.lose("L-SYSTEM-MOVED", at ?? fit.paths.messages, { action: "moved" });
  const own = fitSystemMessage(message, fit);
  const blocks = own.blocks.map((block) =>
    block.type === "text" ? { ...block, text: `<system>\n${block.text}\n</system>` } : block,
  );
  return { role: "user", blocks, at };
}

/** Instructions are text on every wire. */
function systemBlocks(blocks: readonly Block[], fit: Fit): readonly SystemBlock[] {
  const kept: SystemBlock[] = [];
  for (const block of blocks) {
    const fitted = systemBlock(block, fit);
    if (fitted !== undefined) kept.push(fitted);
  }
  return kept;
}

function systemBlock(block: Block, fit: Fit): SystemBlock | undefined {
  if (block.type === "text") return instruction(block, fit);
  if (block.type === "cache_mark") return block;
  if (block.type === "opaque") {
    const fitted = fitVendorBlock(block, fit);
    return fitted?.type === "text" || fitted?.type === "opaque" ? fitted : undefined;
  }
  fit.lose("L-UNKNOWN-BLOCK", pathOf(block, fit));
  return undefined;
}

/** No wire cites or proves what the caller itself says. */
function instruction(block: TextBlock, fit: Fit): TextBlock | undefined {
  const { citations, proof } = block;
  if (citations === undefined && proof === undefined) return fitText(block, fit);
  const code = proof === undefined ? "L-CITE" : "L-REASONING-FOREIGN";
  fit.lose(code, pathOf(block, fit));
  return fitText({ ...block, citations: undefined, proof: undefined }, fit);
}

/** Joining them would lose the marks that the list can hold. */
function keepsApart(blocks: readonly SystemBlock[], { capabilities }: Fit): boolean {
  return capabilities.systemInList && capabilities.cacheMarks !== "none" && blocks.some(isMarked);
}

function isMarked(block: SystemBlock): boolean {
  return block.cache !== undefined && carriesMark(block);
}

/** The one string of a top slot, with a blank line between what were blocks. */
function joined(blocks: readonly SystemBlock[], fit: Fit): readonly SystemBlock[] {
  const texts: TextBlock[] = [];
  for (const block of blocks) {
    if (block.cache !== undefined) fit.lose("L-CACHE", pathOf(block, fit));
    if (block.type === "text") texts.push(block);
    else fit.lose("L-UNKNOWN-BLOCK", pathOf(block, fit));
  }
  const [first] = texts;
  if (first === undefined) return [];
  if (texts.length > 1) {
    fit.lose("L-SYSTEM-JOINED", pathOf(first, fit), { action: "approximated" });
  }
  return [{ type: "text", text: texts.map(({ text }) => text).join("\n\n"), at: first.at }];
}
