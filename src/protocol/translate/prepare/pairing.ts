import type { ToolCallBlock, ToolResultBlock } from "../../ir/block.ts";
import type { Message } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { toolIds } from "./tool-ids.ts";
import { referencePath } from "./vendor-blocks.ts";

/** A tool call of the history and where it stands. */
export interface Call {
  readonly block: ToolCallBlock;
  /** Index of its message. */
  readonly turn: number;
  /** Its id on the target's wire; undefined where that has none. */
  readonly id: string | undefined;
  /** How many calls came before it. */
  readonly order: number;
}
export interface PairedResult {
  readonly block: ToolResultBlock;
  readonly call: Call;
  /** Index of its own message. */
  readonly turn: number;
  /** Something else was said between the call and this. */
  readonly isLate: boolean;
}

/** Which results answer which calls. */
export interface Pairs {
  readonly calls: ReadonlyMap<ToolCallBlock, Call>;
  /** By the index of the message that holds the calls. */
  readonly results: ReadonlyMap<number, readonly PairedResult[]>;
  /** Index of the last message that holds a call; -1 where there is none. */
  readonly lastTurn: number;
}

const NONE: Pairs = { calls: new Map(), results: new Map(), lastTurn: -1 };

/**
 * Finds the call of each result: by id, else by name in the order of the calls, as Gemini does. A
 * call without a result or a result without a call is the caller's mistake: protocols.md §3.7.
 */
export function pairCalls(messages: readonly Message[], fit: Fit): Pairs {
  if (!messages.some(hasTools)) return NONE;
  const open = openCalls(fit);
  const results = new Map<number, PairedResult[]>();
  let lastSaid = -1;
  for (const [turn, { role, blocks }] of messages.entries()) {
    for (const block of blocks) {
      if (block.type !== "tool_result" && block.type !== "cache_mark") lastSaid = turn;
      if (block.type === "tool_call") {
        if (role === "assistant") open.add(block, turn);
        else fit.malformed(block.at ?? fit.paths.messages, "Only the assistant calls tools.");
      } else if (block.type === "tool_result") {
        const call = open.answered(block);
        if (call === undefined) surplus(block, messages, fit);
        else listAt(results, call.turn).push({ block, call, turn, isLate: lastSaid > call.turn });
      }
    }
  }
  const missing = open.first();
  if (missing !== undefined) {
    const detail = "No tool result answers this tool call. Send one for each call.";
    fit.malformed(missing.block.at ?? fit.paths.messages, detail);
  }
  return { calls: open.calls, results, lastTurn: open.lastTurn() };
}

function hasTools({ blocks }: Message): boolean {
  return blocks.some(({ type }) => type === "tool_call" || type === "tool_result");
}

/** The call may lie in a history that the request only refers to. */
function surplus(block: ToolResultBlock, messages: readonly Message[], fit: Fit): void {
  const state = fit.lostState() ?? referencePath(messages);
  if (state !== undefined) fit.refuse(state, "the history it refers to is kept elsewhere.");
  const detail = "This tool result answers no earlier tool call, or one that has its result.";
  fit.malformed(block.at ?? fit.paths.messages, detail);
}

interface OpenCalls {
  readonly calls: ReadonlyMap<ToolCallBlock, Call>;
  add(block: ToolCallBlock, turn: number): void;
  /** The call a result answers, which is open no longer. */
  answered(result: ToolResultBlock): Call | undefined;
  first(): Call | undefined;
  lastTurn(): number;
}
interface Queue {
  readonly calls: Call[];
  next: number;
}

function openCalls(fit: Fit): OpenCalls {
  const ids = toolIds(fit.capabilities);
  const calls = new Map<ToolCallBlock, Call>();
  const open = new Set<Call>();
  const byId = new Map<string, Queue>();
  const named = callsByName();
  let lastTurn = -1;
  return {
    calls,
    lastTurn: () => lastTurn,
    first: () => open.values().next().value,
    add(block, turn) {
      const id = ids.next(block.callId, block.name);
      const call: Call = { block, turn, id, order: calls.size };
      lastTurn = turn;
      calls.set(block, call);
      open.add(call);
      queueAt(byId, block.callId ?? "").calls.push(call);
      named.add(call);
    },
    answered({ callId, name }) {
      const call =
        nextOpen(callId === undefined ? undefined : byId.get(callId), open) ??
        nextNamed(named.of(name ?? ""), { open, callId });
      if (call !== undefined) open.delete(call);
      return call;
    },
  };
}

/** Sorted by name only once somebody asks: most histories go by ids alone. */
function callsByName() {
  const waiting: Call[] = [];
  const byName = new Map<string, Queue>();
  return {
    add: (call: Call): unknown => waiting.push(call),
    of(name: string): Queue | undefined {
      for (const call of waiting.splice(0)) queueAt(byName, call.block.name).calls.push(call);
      return byName.get(name);
    },
  };
}

function nextOpen(queue: Queue | undefined, open: ReadonlySet<Call>): Call | undefined {
  if (queue === undefined) return undefined;
  while (queue.next < queue.calls.length && !open.has(queue.calls[queue.next]!)) queue.next += 1;
  return queue.calls[queue.next];
}

/** A result that gives an id may still answer a call that has none, but never another's. */
function nextNamed(
  queue: Queue | undefined,
  { open, callId }: { readonly open: ReadonlySet<Call>; readonly callId: string | undefined },
): Call | undefined {
  const call = nextOpen(queue, open);
  return callId === undefined || call?.block.callId === undefined ? call : undefined;
}

function queueAt(queues: Map<string, Queue>, key: string): Queue {
  let queue = queues.get(key);
  if (queue === undefined) queues.set(key, (queue = { calls: [], next: 0 }));
  return queue;
}

function listAt<T>(lists: Map<number, T[]>, key: number): T[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}
