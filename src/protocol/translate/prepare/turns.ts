import type { Block, TextBlock } from "../../ir/block.ts";
import type { Message } from "../../ir/request.ts";
import { type BlockContext, fitBlocks } from "./blocks.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";
import type { PairedResult } from "./pairing.ts";
import { asUserText, fitSystemMessage, isSystem } from "./system.ts";
import { fitResult } from "./tool-results.ts";
import { TurnList } from "./turn-list.ts";

/** What stands where a target will have no empty turn. */
export const MINIMAL = ".";

/** The messages as the target wants them to follow one another: protocols.md §3.3 and §3.7. */
export function fitTurns(
  messages: readonly Message[],
  from: number,
  context: BlockContext,
): readonly Message[] {
  const { fit } = context;
  const list = new TurnList(fit);
  let isRun = from === 0;
  for (let turn = from; turn < messages.length; turn++) {
    const message = messages[turn]!;
    if (isSystem(message)) {
      const stays = isRun || fit.capabilities.systemInList;
      const fitted = stays ? fitSystemMessage(message, fit) : asUserText(message, fit);
      if (fitted.blocks.length > 0) list.add(fitted);
    } else {
      isRun = false;
      addTurn(message, turn, { list, context, isLast: turn === messages.length - 1 });
    }
  }
  return list.messages;
}

interface Adding {
  readonly list: TurnList;
  readonly context: BlockContext;
  readonly isLast: boolean;
}

function addTurn(message: Message, turn: number, adding: Adding): void {
  const { list, context, isLast } = adding;
  const { fit, pairs } = context;
  const own = withoutOwnWords(message, fit);
  const { blocks, aside } = fitBlocks(message, turn, context);
  const said = saidIn(own, blocks, { isLast, fit });
  if (said !== undefined) list.add(said, turn);
  else if (own.name !== undefined) loseName(own, fit);
  const results = pairs.results.get(turn) ?? [];
  addResults(results, context, list);
  if (aside.length > 0 && (!isLast || results.length > 0)) {
    list.add({ role: "user", blocks: aside, at: message.at });
  }
}

/** The message with what is left of its blocks; undefined where nothing is left to say. */
function saidIn(
  message: Message,
  blocks: readonly Block[],
  { isLast, fit }: { readonly isLast: boolean; readonly fit: Fit },
): Message | undefined {
  // Results stand in messages of their own; whatever else was in one is the user's.
  const role = message.role === "tool" ? "user" : message.role;
  if (blocks.length > 0) {
    const isSame = blocks === message.blocks && role === message.role;
    return isSame ? message : { ...message, role, blocks };
  }
  const wasEmpty = message.blocks.length === 0;
  if (wasEmpty && !fit.capabilities.refusesEmptyText) return message;
  if (isAwaited(message, isLast)) return { ...message, role, blocks: [minimal(message, fit)] };
  if (wasEmpty) fit.lose("L-EMPTY", message.at ?? fit.paths.messages);
  return undefined;
}

function withoutOwnWords(message: Message, fit: Fit): Message {
  const { name } = message;
  const path = message.at ?? fit.paths.messages;
  const own = dropExt(message, { kind: "message", path, fit });
  if (name === undefined || fit.capabilities.messageNames) return own;
  loseName(message, fit);
  return { ...own, name: undefined };
}

function loseName({ at }: Message, fit: Fit): void {
  fit.lose("L-NAME", `${at ?? fit.paths.messages}.name`);
}

/** The user's last word stays, even with nothing left in it: else another's would be the last. */
function isAwaited({ role, blocks }: Message, isLast: boolean): boolean {
  return role === "user" && isLast && !blocks.some(({ type }) => type === "tool_result");
}

function minimal({ at }: Message, fit: Fit): TextBlock {
  fit.lose("L-EMPTY", at ?? fit.paths.messages, { action: "defaulted" });
  return { type: "text", text: MINIMAL, at };
}

/** The results of one assistant's turn, all together behind it, and their media behind them. */
function addResults(
  given: readonly PairedResult[],
  { names, fit }: BlockContext,
  list: TurnList,
): void {
  if (given.length === 0) return;
  const results = inCallOrder(given, fit);
  const fitted = results.map((result) => fitResult(result, names, fit));
  for (const { block, isLate } of results) {
    if (isLate) fit.lose("L-ORDER", block.at ?? fit.paths.messages, { action: "moved" });
  }
  if (fit.capabilities.toolResults === "tool") {
    for (const { result } of fitted) list.add({ role: "tool", blocks: [result], at: result.at });
  } else {
    const turns = new Set(results.map(({ turn }) => turn));
    list.addAnswers(
      fitted.map(({ result }) => result),
      turns,
    );
  }
  const aside = fitted.flatMap((each) => each.aside);
  if (aside.length > 0) list.add({ role: "user", blocks: aside, at: aside[0]?.at });
}

/** Where calls have no ids, only the order tells which result is whose. */
function inCallOrder(results: readonly PairedResult[], fit: Fit): readonly PairedResult[] {
  if (fit.capabilities.toolIds || results.length < 2) return results;
  return results.toSorted((a, b) => a.call.order - b.call.order);
}
