import type { Chunk } from "../../core/units.ts";
import type { AnswerContext, StreamWriter } from "../codec.ts";
import type { BrokenStream } from "../dialect.ts";
import type { IrUsage, Stop } from "../ir/answer.ts";
import type { IrEvent } from "../ir/event.ts";
import { compact, isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Loss } from "../ir/loss.ts";
import type { WireError } from "../wire-error.ts";
import { type BlockEvent, BlockOrder } from "../ir/block-order.ts";
import { errorFrame, PING, writeStreamError } from "./broken.ts";
import { frame, nameOf } from "./frame.ts";
import { lacksCounts, writeIrUsage } from "./ir-usage.ts";
import { innerObject } from "./own-fields.ts";
import { errorBody } from "./rejection.ts";
import { spellingOf } from "./spelling.ts";
import { StreamBlocks } from "./stream-blocks.ts";
import { mintedId } from "./write-answer.ts";
import { blockedStop, refusing, writeStop } from "./write-stop.ts";
import { required, type Writing } from "./writing.ts";

type StartEvent = Extract<IrEvent, { readonly t: "start" }>;

const utf8 = new TextEncoder();
const NOTHING: Chunk = new Uint8Array(0);

/** Writes a stream of messages: protocols.md 5.3. */
export function streamWriter(context: AnswerContext): StreamWriter {
  return new AnthropicWriter(context);
}

class AnthropicWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #order: BlockOrder;
  #writing: Writing;
  #blocks: StreamBlocks;
  #state: "new" | "begun" | "over" = "new";
  #id: string | undefined;
  #model: string | undefined;
  #usage: IrUsage | undefined;
  #stop: Stop | undefined;
  #blocked: Stop | undefined;
  /** What the last event that told of the end said beside what is modelled. */
  #endExt: JsonObject | undefined;
  #hasOthers = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#writing = { isOwn: false, isAnswer: true, report: context.report };
    this.#blocks = new StreamBlocks(this.#writing);
    this.#order = new BlockOrder(({ b }) => {
      const path = `candidates[0].blocks[${b}]`;
      this.#report({ code: "L-BUFFERED", path, action: "moved" });
    });
  }

  write(event: IrEvent): Chunk {
    return bytesOf(this.#write(event));
  }
  end(): Chunk {
    return bytesOf(this.#finish({}));
  }
  fail(broken: BrokenStream): Chunk {
    if (this.#state === "over") return NOTHING;
    this.#state = "over";
    // What this wrote were whole events, wherever its source broke off.
    return writeStreamError({ ...broken, atBoundary: true, id: this.#id, model: this.#model });
  }

  #write(event: IrEvent): string {
    if (this.#state === "over") return "";
    switch (event.t) {
      case "start":
        return this.#start(event);
      case "block_start":
      case "delta":
      case "block_stop":
        return this.#writeBlockEvent(event);
      case "stop":
        if (event.c !== 0) return "";
        this.#stop = event.stop;
        this.#endExt = event.ext?.anthropic ?? this.#endExt;
        return "";
      case "usage":
        this.#usage = event.usage;
        this.#endExt = event.ext?.anthropic ?? this.#endExt;
        return "";
      case "meta":
        this.#blocked = blockedStop(event.patch.blocked) ?? this.#blocked;
        return "";
      case "ping":
        return PING;
      case "error":
        return this.#error(event.error);
      case "end":
        return this.#finish(event);
      case "raw": {
        const { from, data } = event;
        if (from !== "anthropic" || !isObject(data)) return "";
        return this.#ensureBegun() + frame(nameOf(event.event, data), data);
      }
    }
  }

  #ensureBegun(): string {
    return this.#state === "new" ? this.#start({ t: "start" }) : "";
  }

  #start(event: StartEvent): string {
    if (this.#state !== "new") return "";
    this.#state = "begun";
    const isOwn = spellingOf(event).slot === "message_start";
    if (isOwn) {
      this.#writing = { isOwn, isAnswer: true, report: () => {} };
      this.#blocks = new StreamBlocks(this.#writing);
    }
    this.#id = isOwn ? event.id : mintedId(this.#context);
    this.#model = event.model ?? this.#context.asked.model;
    this.#usage = event.usage;
    const own = event.ext?.anthropic;
    const members = {
      model: this.#model,
      id: this.#id,
      type: "message",
      role: "assistant",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: required(this.#writing, null),
      usage: isOwn && event.usage === undefined ? undefined : writeIrUsage(event.usage),
    };
    const message = innerObject(members, { own, name: "message" });
    const started = frame("message_start", compact({ type: "message_start", message }, own));
    return isOwn ? started : started + PING;
  }

  #writeBlockEvent(event: BlockEvent): string {
    if (event.c !== 0) {
      // This wire has one answer: protocols.md 4.1.
      if (!this.#hasOthers) this.#report({ code: "L-N", path: "candidates", action: "dropped" });
      this.#hasOthers = true;
      return "";
    }
    const begun = this.#ensureBegun();
    const ready = this.#order.take(event);
    if (ready === undefined) this.#tooLate(event);
    return begun + (ready ?? []).map((each) => this.#blocks.write(each)).join("");
  }

  /** Something for a block that has ended: Gemini and Cohere cite afterwards. */
  #tooLate(event: BlockEvent): void {
    if (event.t !== "delta") return;
    const path = `candidates[0].blocks[${event.b}]`;
    const { k } = event.d;
    this.#blocks.lose(
      k === "citation" ? "L-CITE" : k === "logprobs" ? "L-LOGPROBS" : "L-ORDER",
      path,
    );
  }

  #finish({ ext }: Pick<IrEvent, "ext">): string {
    if (this.#state === "over") return "";
    const begun = this.#ensureBegun();
    const drained = this.#order.drain().map((each) => this.#blocks.write(each));
    const stop = refusing(explained(this.#stop, this.#blocked), this.#blocks.hasRefusal);
    if (!this.#writing.isOwn && (stop?.kind === "error" || stop?.kind === "timeout")) {
      return begun + drained.join("") + this.#error(errorOf(stop));
    }
    this.#state = "over";
    const ended = compact({ type: "message_stop" }, ext?.anthropic);
    const told = this.#messageDelta(stop);
    return begun + drained.join("") + told + frame("message_stop", ended);
  }

  #messageDelta(stop: Stop | undefined): string {
    const own = this.#endExt;
    const { isOwn } = this.#writing;
    if (isOwn && stop === undefined && this.#usage === undefined) return "";
    if (!isOwn && lacksCounts(this.#usage)) {
      this.#report({ code: "L-USAGE", path: "usage", action: "defaulted" });
    }
    const members = {
      type: "message_delta",
      delta: innerObject(writeStop(stop, this.#writing), { own, name: "delta" }),
      usage: writeIrUsage(this.#usage),
    };
    return frame("message_delta", compact(members, own));
  }

  #error(error: WireError): string {
    this.#state = "over";
    return errorFrame(errorBody(error, this.#context.requestId));
  }

  #report(loss: Loss): void {
    this.#writing.report(loss);
  }
}

function errorOf({ kind, detail }: Stop): WireError {
  return {
    class: kind === "timeout" ? "timeout" : "bad_upstream",
    status: 502,
    message: detail ?? "The model failed to finish its answer. Please try again later.",
    code: kind === "timeout" ? "timeout" : "upstream_error",
  };
}

function bytesOf(text: string): Chunk {
  return text === "" ? NOTHING : utf8.encode(text);
}

/** Why a prompt was blocked explains the stop that says so. */
function explained(stop: Stop | undefined, blocked: Stop | undefined): Stop | undefined {
  if (stop === undefined || blocked === undefined) return stop ?? blocked;
  return { ...stop, detail: stop.detail ?? blocked.detail };
}
