import type { Chunk } from "../../core/units.ts";
import type { AnswerContext, StreamWriter } from "../codec.ts";
import type { BrokenStream } from "../dialect.ts";
import type { IrUsage } from "../ir/answer.ts";
import type { Citation, TokenLogprob } from "../ir/block.ts";
import { type BlockEvent, BlockOrder } from "../ir/block-order.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import { isObject } from "../ir/fields.ts";
import type { Json } from "../ir/json.ts";
import type { LossCode } from "../ir/loss.ts";
import type { Node } from "../ir/node.ts";
import type { WireError } from "../wire-error.ts";
import { brokenEnd, DONE, frame } from "./broken.ts";
import { writeLogprob } from "./logprobs.ts";
import { merged, spellingOf, withOwn } from "./own.ts";
import { errorMessage } from "./rejection.ts";
import { writeStop } from "./stop.ts";
import { type OpenBlock, openBlock, textOf } from "./stream-blocks.ts";
import { FIRST_DELTA } from "./stream-shapes.ts";
import { writeIrUsage } from "./usage.ts";
import { answerId } from "./write-answer.ts";
import { writeCitation } from "./write-citations.ts";
import { writeCall } from "./write-tools.ts";

const KEEP_ALIVE = ": keep-alive\n\n";
const utf8 = new TextEncoder();

export function streamWriter(context: AnswerContext): StreamWriter {
  return new CohereWriter(context);
}

type Of<T extends IrEvent["t"]> = Extract<IrEvent, { t: T }>;
type Named = { readonly type: string; readonly [name: string]: Json };

/** Writes a stream; after its end, or an error, it writes nothing more. */
class CohereWriter implements StreamWriter {
  readonly #context: AnswerContext;
  #out = "";
  #id: string | undefined;
  #isOver = false;
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #calls = new Set<number>();
  readonly #order = new BlockOrder(({ b }) => this.#lose("L-BUFFERED", blockPath(b)));
  #contentCount = 0;
  #callCount = 0;
  #citationCount = 0;
  #stop: Of<"stop"> | undefined;
  #usage: IrUsage | undefined;
  #isBlocked = false;
  readonly #reported = new Set<string>();

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(event: IrEvent): Chunk {
    if (!this.#isOver) this.#step(event);
    return this.#taken();
  }
  end(): Chunk {
    if (!this.#isOver) this.#finish();
    return this.#taken();
  }
  /** What this writer has written are whole events, wherever the source was cut. */
  fail(broken: BrokenStream): Chunk {
    if (this.#isOver) return this.#taken();
    this.#isOver = true;
    this.#out += brokenEnd({ ...broken, id: this.#id ?? broken.id });
    if (broken.mode === "graceful") this.#out += DONE;
    return this.#taken();
  }

  #taken(): Chunk {
    const bytes = utf8.encode(this.#out);
    this.#out = "";
    return bytes;
  }

  #step(event: IrEvent): void {
    if ("c" in event && event.c > 0) return this.#lose("L-N", `candidates[${event.c}]`);
    switch (event.t) {
      case "start":
        return this.#start(event);
      case "block_start":
        this.#begin();
        if (event.block.type === "tool_call") this.#calls.add(event.b);
        return this.#block(event);
      case "delta":
      case "block_stop":
        return this.#block(event);
      case "stop":
        this.#stop = event;
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "meta":
        this.#isBlocked ||= event.patch.blocked !== undefined;
        return;
      case "ping":
        this.#out += KEEP_ALIVE;
        return;
      case "error":
        return this.#fail(event.error, event);
      case "end":
        return this.#finish();
      case "raw":
        return this.#pass(event);
    }
  }

  /** Calls come one after another here, each whole: readers of this wire keep only one open. */
  #block(event: BlockEvent): void {
    if (!this.#calls.has(event.b)) return this.#writeBlock(event);
    for (const each of this.#order.take(event) ?? []) this.#writeBlock(each);
  }

  #writeBlock(event: BlockEvent): void {
    switch (event.t) {
      case "block_start":
        return this.#open(event);
      case "delta":
        return this.#grow(event);
      case "block_stop":
        return this.#close(event);
    }
  }

  #begin(): void {
    if (this.#id === undefined) this.#start({ t: "start" });
  }

  #start(event: Of<"start">): void {
    if (this.#id !== undefined) return;
    this.#id = answerId(event.id, this.#context.requestId);
    const { raw = FIRST_DELTA } = spellingOf(event);
    this.#send({ id: this.#id, type: "message-start", delta: raw }, event);
  }

  #open(event: Of<"block_start">): void {
    const { block, b } = event;
    const path = blockPath(b);
    const before = this.#blocks.get(b);
    if (before !== undefined) this.#end(before, NO_NODE);
    const open = openBlock(block, path);
    this.#blocks.set(b, open);
    if (open.kind === "gone") this.#lose(open.lost, path);
    if (open.kind === "opaque") this.#send(this.#contentStart(open, open.raw), event);
    if (open.kind === "text") {
      if (this.#callCount > 0) this.#lose("L-ORDER", path);
      this.#send(this.#contentStart(open, { type: "text", text: "" }), event);
    }
    if (open.kind === "call") this.#openCall(open, event);
    const text = textOf(block);
    if (text !== "") this.#addText(open, text, NO_NODE);
  }

  #contentStart(open: OpenBlock, content: Json): Named {
    open.index = this.#contentCount++;
    return { type: "content-start", index: open.index, delta: { message: { content } } };
  }

  #openCall(open: OpenBlock, event: Of<"block_start">): void {
    if (event.block.type !== "tool_call") return;
    open.index = this.#callCount++;
    const { args, argsValue, ...skeleton } = event.block;
    const call = merged(
      { id: skeleton.callId ?? `${skeleton.name}_${event.b}` },
      writeCall({ ...skeleton, args: "" }, true),
    );
    const delta = { message: { tool_calls: call } };
    this.#send({ type: "tool-call-start", index: open.index, delta }, event);
    open.hasText = spellingOf(event.block).raw !== undefined;
    const whole = argsValue !== undefined || (args !== undefined && args !== "");
    if (!whole) return;
    const { function: called } = writeCall(event.block, false);
    const text = isObject(called) ? called["arguments"] : undefined;
    if (typeof text === "string") this.#addText(open, text, NO_NODE);
  }

  #grow(event: Of<"delta">): void {
    const open = this.#blocks.get(event.b);
    if (open === undefined) return;
    const { d } = event;
    switch (d.k) {
      case "text":
      case "refusal":
      case "reasoning":
      case "args":
        return this.#addText(open, d.text, event);
      case "summary":
        return this.#addText(open, open.summaryText(d), event);
      case "citation":
        return this.#cite(open, d.citation, event);
      case "logprobs":
        // Of this wire's own stream they were written with their text.
        if (spellingOf(event).raw === undefined) this.#addLogprobs(open, d.tokens);
        return;
      case "raw":
        return this.#addRaw(open, d, event);
      case "signature":
      case "sealed":
      case "proof":
        open.isSecret = true;
        return this.#lose("L-REASONING-FOREIGN", open.path);
      case "audio":
        return this.#lose("L-MODALITY", open.path);
      case "result":
        return this.#lose("L-HOSTED", open.path);
    }
  }

  #addText(open: OpenBlock, text: string, event: Node): void {
    if (open.isEnded) return;
    switch (open.kind) {
      case "text":
        open.keep(text);
        return this.#sendContent(open, { text }, event);
      case "thinking":
        this.#openThinking(open);
        return this.#sendContent(open, { thinking: text }, event);
      case "plan":
        return this.#send(
          { type: "tool-plan-delta", delta: { message: { tool_plan: text } } },
          event,
        );
      case "call":
        open.hasText ||= text !== "";
        return this.#sendArguments(open, text, event);
      case "opaque":
      case "gone":
        return;
    }
  }

  /** Not before there is something in it: a sealed thought has no text to show. */
  #openThinking(open: OpenBlock): void {
    if (open.index >= 0) return;
    if (this.#callCount > 0) this.#lose("L-ORDER", open.path);
    this.#send(this.#contentStart(open, { type: "thinking", thinking: "" }), NO_NODE);
  }

  #sendContent(open: OpenBlock, content: Json, event: Node): void {
    const delta = { message: { content } };
    this.#send({ type: "content-delta", index: open.index, delta }, event);
  }

  #sendArguments(open: OpenBlock, text: string, event: Node): void {
    const delta = { message: { tool_calls: { function: { arguments: text } } } };
    this.#send({ type: "tool-call-delta", index: open.index, delta }, event);
  }

  /** They come behind their text, in an event that adds none. */
  #addLogprobs(open: OpenBlock, tokens: readonly TokenLogprob[]): void {
    if (open.kind !== "text" || tokens.length === 0) return;
    this.#lose("L-LOGPROBS", "candidates[0].logprobs");
    for (const token of tokens) {
      this.#sendContent(open, { text: "" }, { ext: { cohere: { logprobs: writeLogprob(token) } } });
    }
  }

  #addRaw(open: OpenBlock, { data }: Extract<Delta, { k: "raw" }>, event: Node): void {
    if (open.kind !== "opaque") return;
    this.#send({ type: "content-delta", index: open.index, delta: data }, event);
  }

  #cite(open: OpenBlock, citation: Citation, event: Node): void {
    if (open.kind !== "text") return this.#lose("L-CITE", open.path);
    const index = this.#citationCount++;
    const { path } = open;
    const { report } = this.#context;
    const text = citation.span?.of === "message" ? this.#messageText() : open.points();
    const cited = writeCitation(citation, { index: open.index, text, path, report });
    this.#send({ type: "citation-start", index, delta: { message: { citations: cited } } }, event);
    this.#send({ type: "citation-end", index }, NO_NODE);
  }

  #messageText(): ReturnType<OpenBlock["points"]> {
    const [first, ...more] = [...this.#blocks.values()].filter(({ kind }) => kind === "text");
    return first === undefined || more.length > 0 ? UNKNOWN_TEXT : first.points();
  }

  #close(event: Of<"block_stop">): void {
    const open = this.#blocks.get(event.b);
    if (open !== undefined) this.#end(open, event);
  }

  #end(open: OpenBlock, event: Node): void {
    if (open.isEnded) return;
    if (open.kind === "thinking" && !open.isSecret) this.#openThinking(open);
    // No arguments are an empty object here, never an empty text.
    if (open.kind === "call" && !open.hasText) this.#sendArguments(open, "{}", NO_NODE);
    open.isEnded = true;
    if (open.index < 0) return;
    const type = open.kind === "call" ? "tool-call-end" : "content-end";
    this.#send({ type, index: open.index }, event);
  }

  /** Here, not with the stop: some sources tell their usage only after it. */
  #finish(): void {
    this.#begin();
    for (const event of this.#order.drain()) this.#writeBlock(event);
    for (const open of this.#blocks.values()) this.#end(open, NO_NODE);
    this.#isOver = true;
    const { report } = this.#context;
    const kind = this.#isBlocked ? "content_filter" : "end";
    const word = writeStop(this.#stop?.stop ?? { kind }, report);
    const usage = writeIrUsage(this.#usage, report);
    const delta = { finish_reason: word, usage };
    this.#send({ type: "message-end", delta }, this.#stop ?? NO_NODE);
    this.#out += DONE;
  }

  /** Without an end mark: the connection is reset behind it, which is all the SDK notices. */
  #fail(error: WireError, event: Node): void {
    this.#isOver = true;
    const { raw } = spellingOf(event);
    if (isObject(raw)) return this.#send({ type: "message-end" }, { ext: { cohere: raw } });
    const delta = { finish_reason: "ERROR", error: errorMessage(error) };
    this.#send({ type: "message-end", delta }, NO_NODE);
  }

  #pass({ from, data }: Of<"raw">): void {
    if (from !== "cohere" || !isObject(data)) return;
    const type = data["type"];
    if (typeof type === "string") this.#send({ type }, { ext: { cohere: data } });
  }

  #lose(code: LossCode, path: string): void {
    if (this.#reported.has(`${code} ${path}`)) return;
    this.#reported.add(`${code} ${path}`);
    const action = ACTIONS.get(code) ?? "dropped";
    this.#context.report({ code, path, action });
  }

  #send(event: Named, node: Node): void {
    this.#out += frame(withOwn(event, node) as Named);
  }
}

const NO_NODE: Node = {};
const UNKNOWN_TEXT = { slice: () => undefined, length: 0 };
const ACTIONS: ReadonlyMap<LossCode, "approximated" | "moved"> = new Map([
  ["L-LOGPROBS", "approximated"],
  ["L-ORDER", "approximated"],
  ["L-BUFFERED", "moved"],
]);

function blockPath(b: number): string {
  return `candidates[0].blocks[${b}]`;
}
