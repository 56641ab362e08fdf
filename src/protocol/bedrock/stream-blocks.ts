import { argsText } from "../ir/args.ts";
import type { Block } from "../ir/block.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import { inside } from "./rest.ts";
import { type DeltaContext, writeDelta, writeStart } from "./write-deltas.ts";

type BlockEvent = Extract<IrEvent, { readonly t: "block_start" | "delta" | "block_stop" }>;
type Put = (name: string, payload: JsonObject) => void;

/** The block that is being written. */
interface Open {
  readonly b: number;
  readonly block: Block;
  readonly context: DeltaContext;
  /** Its number on the wire, once something of it was written. */
  index: number | undefined;
  hasDelta: boolean;
  /** The summary part that the last text was of. */
  part: number | undefined;
}

/**
 * Puts the blocks of a stream one after another: what comes of a later one waits until the one
 * before has ended (protocols.md §5.3).
 */
export class StreamBlocks {
  readonly #report: Report;
  readonly #put: Put;
  #open: Open | undefined;
  /** What came of later blocks, in the order of their beginning. */
  readonly #waiting = new Map<number, BlockEvent[]>();
  #nextIndex = 0;
  #saidBuffered = false;

  constructor(report: Report, put: Put) {
    this.#report = report;
    this.#put = put;
  }

  take(event: BlockEvent, own: boolean): void {
    if (this.#open !== undefined && this.#open.b !== event.b) return this.#wait(event);
    this.#write(event, own);
    if (this.#open === undefined) this.#playWaiting(own);
  }

  /** Ends the block that is open, and writes all that waits. */
  closeAll(): void {
    const own = this.#open?.context.own ?? false;
    while (this.#open !== undefined) {
      this.#close(undefined, undefined);
      this.#playWaiting(own);
    }
  }

  #wait(event: BlockEvent): void {
    const waiting = this.#waiting.get(event.b);
    if (waiting !== undefined) {
      waiting.push(event);
      return;
    }
    if (event.t !== "block_start") return; // Of a block that was left out, or never began.
    this.#waiting.set(event.b, [event]);
    if (this.#saidBuffered) return;
    this.#saidBuffered = true;
    this.#report({ code: "L-BUFFERED", path: pathOf(event.b), action: "moved" });
  }

  #playWaiting(own: boolean): void {
    for (const [b, events] of this.#waiting) {
      this.#waiting.delete(b);
      for (const event of events) this.#write(event, own);
      if (this.#open !== undefined) return;
    }
  }

  #write(event: BlockEvent, own: boolean): void {
    switch (event.t) {
      case "block_start":
        return this.#start(event, own);
      case "delta":
        if (this.#open?.b === event.b) this.#grow(this.#open, event.d, event.ext?.bedrock);
        return;
      case "block_stop":
        if (this.#open?.b === event.b) this.#close(event.final, event.ext?.bedrock);
    }
  }

  #start({ b, block }: BlockEvent & { readonly t: "block_start" }, own: boolean): void {
    const context = { path: pathOf(b), report: this.#report, own };
    const written = writeStart(block, context);
    this.#close(undefined, undefined);
    if (written === undefined) return;
    const left = block.ext?.bedrock;
    const open: Open = { b, block, context, index: undefined, hasDelta: false, part: undefined };
    this.#open = open;
    if (written.start !== undefined) {
      const contentBlockIndex = this.#indexOf(open);
      this.#put("contentBlockStart", compact({ contentBlockIndex, start: written.start }, left));
    }
    for (const delta of written.deltas) this.#putDelta(open, delta, undefined);
  }

  #grow(open: Open, delta: Delta, left: JsonObject | undefined): void {
    const isNewPart = delta.k === "summary" && open.part !== undefined && open.part !== delta.part;
    if (delta.k === "summary") open.part = delta.part;
    if (isNewPart) this.#putDelta(open, { reasoningContent: { text: "\n\n" } }, undefined);
    for (const wire of writeDelta(delta, open.context)) this.#putDelta(open, wire, left);
  }

  /** A seal stands alone on this wire: behind a text it is the next block. */
  #putDelta(open: Open, delta: JsonObject, left: JsonObject | undefined): void {
    const isSeal = inside(delta, "reasoningContent")?.["redactedContent"] !== undefined;
    if (isSeal && open.hasDelta && !open.context.own) {
      this.#put("contentBlockStop", { contentBlockIndex: this.#indexOf(open) });
      open.index = undefined;
    }
    open.hasDelta = true;
    const contentBlockIndex = this.#indexOf(open);
    this.#put("contentBlockDelta", compact({ contentBlockIndex, delta }, left));
  }

  /** A block nothing was written of did not happen. A call's text may not be empty. */
  #close(final: Block | undefined, left: JsonObject | undefined): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    if (open.block.type === "tool_call" && !open.hasDelta && !open.context.own) {
      const call = final?.type === "tool_call" ? final : open.block;
      this.#putDelta(open, { toolUse: { input: argsText(call) } }, undefined);
    }
    if (open.index === undefined) return;
    this.#put("contentBlockStop", compact({ contentBlockIndex: open.index }, left));
  }

  #indexOf(open: Open): number {
    open.index ??= this.#nextIndex++;
    return open.index;
  }
}

function pathOf(b: number): string {
  return `candidates[0].blocks[${b}]`;
}
