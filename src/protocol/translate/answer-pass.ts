import { argsText } from "../ir/args.ts";
import type { ToolCallBlock } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import { isObject } from "../ir/fields.ts";
import { isAnswer, stopOf, textOf, valueIn } from "./answer-tool.ts";
import type { Pass } from "./pass.ts";
import type { AnswerTool } from "./prepare/answer-tool.ts";

type At<T extends IrEvent["t"]> = Extract<IrEvent, { t: T }>;

type BlockEvent = At<"block_start" | "delta" | "block_stop">;

/** One candidate on its way. */
interface Unwrapping {
  /** Text from before the call, which goes on only where no call comes, and all behind it. */
  held: BlockEvent[];
  /** The block that is the answer, once it has begun. */
  answer: number | undefined;
  /** The arguments, where they must be whole to be read. */
  args: string;
  isEmpty: boolean;
  calls: boolean;
  readonly texts: Set<number>;
  readonly dropped: Set<number>;
}

/** `unwrapAnswer` for a stream: what follows the call's beginning goes on as it comes. */
export function answerPass(tool: AnswerTool): Pass {
  return new AnswerPass(tool);
}

class AnswerPass implements Pass {
  readonly #tool: AnswerTool;
  readonly #candidates = new Map<number, Unwrapping>();

  constructor(tool: AnswerTool) {
    this.#tool = tool;
  }

  feed(event: IrEvent): readonly IrEvent[] {
    switch (event.t) {
      case "block_start":
        return this.#start(event);
      case "delta":
        return this.#grow(event);
      case "block_stop":
        return this.#stop(event);
      case "stop": {
        const candidate = this.#of(event.c);
        const { answer, calls } = candidate;
        const stopped = answer === undefined ? event.stop : stopOf(event.stop, calls);
        return [...released(candidate), { ...event, stop: stopped }];
      }
      case "error":
      case "end":
        return [...[...this.#candidates.values()].flatMap(released), event];
      case "start":
      case "usage":
      case "meta":
      case "ping":
      case "raw":
        return [event];
    }
  }

  end(): readonly IrEvent[] {
    return [...this.#candidates.values()].flatMap(released);
  }

  #of(c: number): Unwrapping {
    let found = this.#candidates.get(c);
    if (found === undefined) {
      const [texts, dropped] = [new Set<number>(), new Set<number>()];
      found = {
        held: [],
        answer: undefined,
        args: "",
        isEmpty: true,
        calls: false,
        texts,
        dropped,
      };
      this.#candidates.set(c, found);
    }
    return found;
  }

  #start(event: At<"block_start">): readonly IrEvent[] {
    const { c, b, block } = event;
    const candidate = this.#of(c);
    if (isAnswer(block, this.#tool)) return this.#begin(event, candidate);
    if (block.type === "text") {
      if (candidate.answer !== undefined) return drop(candidate, b);
      candidate.texts.add(b);
      candidate.held.push(event);
      return [];
    }
    candidate.calls ||= block.type === "tool_call";
    return block.type === "tool_call"
      ? [...released(candidate), event]
      : this.#behind(event, candidate);
  }

  #begin({ c, b, block }: At<"block_start">, candidate: Unwrapping): readonly IrEvent[] {
    if (candidate.answer !== undefined) return drop(candidate, b);
    candidate.answer = b;
    const others = candidate.held.filter((held) => !candidate.texts.has(held.b));
    candidate.held = [];
    const { args, argsValue } = block as ToolCallBlock;
    const isThere =
      (args ?? "") !== "" || (isObject(argsValue) && Object.keys(argsValue).length > 0);
    const begun: IrEvent = { t: "block_start", c, b, block: { type: "text", text: "" } };
    return [
      ...others,
      begun,
      ...(isThere ? this.#grown(candidate, { c, text: argsText(block as ToolCallBlock) }) : []),
    ];
  }

  #grown(candidate: Unwrapping, more: { c: number; text: string }): readonly IrEvent[] {
    const { c, text } = more;
    if (text === "") return [];
    candidate.isEmpty = false;
    if (this.#tool.property !== undefined) {
      candidate.args += text;
      return [];
    }
    return [{ t: "delta", c, b: candidate.answer!, d: { k: "text", text } }];
  }

  #grow(event: At<"delta">): readonly IrEvent[] {
    const { c, b, d } = event;
    const candidate = this.#of(c);
    if (b === candidate.answer)
      return d.k === "args" ? this.#grown(candidate, { c, text: d.text }) : [];
    return this.#elsewhere(event, candidate);
  }

  #stop(event: At<"block_stop">): readonly IrEvent[] {
    const { c, b, final } = event;
    const candidate = this.#of(c);
    if (b !== candidate.answer) return this.#elsewhere(event, candidate);
    const whole = final?.type === "tool_call" ? textOf(final, this.#tool) : undefined;
    const rest = this.#restOf(candidate, whole);
    const told: IrEvent[] = rest === "" ? [] : [{ t: "delta", c, b, d: { k: "text", text: rest } }];
    const text = whole === undefined ? undefined : ({ type: "text", text: whole } as const);
    return [...told, { t: "block_stop", c, b, final: text }];
  }

  /** What the deltas have not said by then. */
  #restOf({ args, isEmpty }: Unwrapping, whole: string | undefined): string {
    if (this.#tool.property !== undefined)
      return whole ?? valueIn(args === "" ? "{}" : args, this.#tool.property);
    return isEmpty ? (whole ?? "{}") : "";
  }

  #elsewhere(event: At<"delta" | "block_stop">, candidate: Unwrapping): readonly IrEvent[] {
    const { b } = event;
    if (candidate.dropped.has(b)) return [];
    if (candidate.answer !== undefined && candidate.texts.has(b)) return [];
    return this.#behind(event, candidate);
  }

  /** Blocks come in their order: where one is held, what follows waits too. */
  #behind(event: BlockEvent, candidate: Unwrapping): readonly IrEvent[] {
    if (candidate.held.length === 0) return [event];
    candidate.held.push(event);
    return [];
  }
}

function drop(candidate: Unwrapping, b: number): readonly IrEvent[] {
  candidate.dropped.add(b);
  return [];
}

/** Text that stays text: its later events need no holding. */
function released(candidate: Unwrapping): readonly IrEvent[] {
  const { held } = candidate;
  candidate.held = [];
  candidate.texts.clear();
  return held;
}
