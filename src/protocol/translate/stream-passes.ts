import type { Block, ToolCallBlock } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import {
  type CallMending,
  isWrapped,
  renamed,
  unwrappedInput,
  wrappingOf,
} from "./answer-passes.ts";
import { blockPath, type Pass } from "./pass.ts";

type At<T extends IrEvent["t"]> = Extract<IrEvent, { t: T }>;

interface OpenCall {
  readonly callId: string | undefined;
  /** The JSON text of a freeform tool's wrapping: it is unwrapped once it is whole. */
  wrapping: string | undefined;
}

/** `mendCalls` for a stream. Holds back the arguments of a freeform call until it stops. */
export function callPass(mending: CallMending): Pass {
  const open = new Map<string, OpenCall>();

  function start(event: At<"block_start">, block: ToolCallBlock): readonly IrEvent[] {
    const { c, b } = event;
    const callId = mending.ids.next(c, block.callId);
    const fix = { callId, mending, path: blockPath(c, b) };
    const call: OpenCall = { callId, wrapping: undefined };
    open.set(keyOf(event), call);
    const named = renamed(block, fix);
    if (!isWrapped(block, mending)) return [{ ...event, block: named }];
    call.wrapping = wrappingOf(block);
    return [{ ...event, block: { ...named, args: "", argsValue: undefined, freeform: true } }];
  }

  function stop(event: At<"block_stop">, call: OpenCall): readonly IrEvent[] {
    const { c, b } = event;
    const { callId, wrapping } = call;
    const fix = { callId, mending, path: blockPath(c, b) };
    const final = callOf(event.final);
    open.delete(keyOf(event));
    if (wrapping === undefined) {
      return [final === undefined ? event : { ...event, final: renamed(final, fix) }];
    }
    const text = unwrappedInput(final === undefined ? wrapping : wrappingOf(final), fix);
    const whole = final && {
      ...renamed(final, fix),
      args: text,
      argsValue: undefined,
      freeform: true,
    };
    const stopped: IrEvent = { ...event, final: whole };
    return text === "" ? [stopped] : [{ t: "delta", c, b, d: { k: "args", text } }, stopped];
  }

  function grow(event: At<"delta">): readonly IrEvent[] {
    const call = open.get(keyOf(event));
    if (call?.wrapping === undefined || event.d.k !== "args") return [event];
    call.wrapping += event.d.text;
    return [];
  }

  return {
    feed(event) {
      if (event.t === "block_start" && event.block.type === "tool_call") {
        return start(event, event.block);
      }
      if (event.t === "delta") return grow(event);
      const call = event.t === "block_stop" ? open.get(keyOf(event)) : undefined;
      return event.t !== "block_stop" || call === undefined ? [event] : stop(event, call);
    },
    end: () => [],
  };
}

function callOf(block: Block | undefined): ToolCallBlock | undefined {
  return block?.type === "tool_call" ? block : undefined;
}

function keyOf({ c, b }: { readonly c: number; readonly b: number }): string {
  return `${c}/${b}`;
}
