import type { Chunk } from "../../core/units.ts";
import type { AnswerContext, StreamWriter } from "../codec.ts";
import type { BrokenStream } from "../dialect.ts";
import type { IrUsage } from "../ir/answer.ts";
import type { IrEvent } from "../ir/event.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { WireError } from "../wire-error.ts";
import { heartbeat, writeStreamError } from "./broken.ts";
import { writeIrUsage } from "./ir-usage.ts";
import { dataFrame, OwnStream } from "./own-stream.ts";
import { errorObject } from "./rejection.ts";
import { ownExt } from "./rest.ts";
import { tierOf } from "./tier.ts";
import { ChoiceWriter } from "./write-choice.ts";

const utf8 = new TextEncoder();
const NOTHING: Chunk = new Uint8Array(0);
const DONE = "data: [DONE]\n\n";

/** Writes a stream of chat completion chunks. */
export function streamWriter(context: AnswerContext): StreamWriter {
  return new ChatWriter(context);
}

/** Every chunk has the same id, time and model; the end comes once: protocols.md 5.3. */
class ChatWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #choices = new Map<number, ChoiceWriter>();
  #own: OwnStream | undefined;
  #head: JsonObject;
  #out = "";
  #usage: IrUsage | undefined;
  #tier: string | undefined;
  #isStarted = false;
  #isBlocked = false;
  #isOver = false;

  constructor(context: AnswerContext) {
    const { requestId, createdAt, asked } = context;
    this.#context = context;
    this.#head = headOf({ id: `chatcmpl-${requestId}`, created: createdAt, model: asked.model });
  }

  write(event: IrEvent): Chunk {
    if (this.#isOver) return NOTHING;
    if (event.t === "start" && ownExt(event) !== undefined) this.#own = new OwnStream();
    if (event.t === "ping") return heartbeat;
    if (this.#own !== undefined) return this.#writeOwn(this.#own, event);
    this.#translate(event);
    return this.#flushed();
  }

  end(): Chunk {
    if (this.#own === undefined) this.#end();
    return this.#flushed();
  }

  fail(broken: BrokenStream): Chunk {
    if (this.#isOver) return NOTHING;
    this.#isOver = true;
    const { id, model } = this.#head;
    return writeStreamError({ ...broken, id: String(id), model: String(model) });
  }

  #writeOwn(own: OwnStream, event: IrEvent): Chunk {
    if (event.t === "error" && ownExt(event) === undefined) this.#fail(event.error);
    else this.#out += own.write(event);
    if (event.t === "error" || event.t === "end") this.#isOver = true;
    return this.#flushed();
  }

  #flushed(): Chunk {
    const text = this.#out;
    this.#out = "";
    return text === "" ? NOTHING : utf8.encode(text);
  }

  #translate(event: IrEvent): void {
    switch (event.t) {
      case "start":
        return this.#start(event);
      case "block_start":
        return this.#choiceOf(event.c).start(event.b, event.block);
      case "delta":
        return this.#choiceOf(event.c).delta(event.b, event.d);
      case "block_stop":
        return this.#choiceOf(event.c).stop(event.b, event.final);
      case "stop": {
        const { kind } = event.stop;
        if (kind === "error" || kind === "timeout") return this.#fail(FAILED[kind]);
        return this.#choiceOf(event.c).finish(event.stop);
      }
      case "usage":
        this.#usage = event.usage;
        return;
      case "meta":
        if (event.patch.tier !== undefined) this.#tier = tierOf(event.patch.tier);
        if (event.patch.blocked !== undefined) this.#isBlocked = true;
        return;
      case "error":
        return this.#fail(event.error);
      case "end":
        return this.#end();
      case "ping":
      case "raw":
        return;
    }
  }

  #start({ model, createdAt, usage }: Extract<IrEvent, { t: "start" }>): void {
    const { id, created, model: asked } = this.#head;
    this.#head = headOf({ id: id!, created: createdAt ?? created!, model: model ?? asked! });
    this.#usage = usage;
    this.#choiceOf(0);
  }

  #choiceOf(c: number): ChoiceWriter {
    let choice = this.#choices.get(c);
    if (choice === undefined) {
      this.#isStarted = true;
      const put = (said: JsonObject) => this.#put([said]);
      choice = new ChoiceWriter({ c, context: this.#context, put });
      this.#choices.set(c, choice);
    }
    return choice;
  }

  #put(choices: readonly JsonObject[], usage: Json = null): void {
    const asked = this.#context.asked.streamUsage === true;
    const more = { service_tier: this.#tier, choices, usage: asked ? usage : undefined };
    this.#out += dataFrame(compact({ ...this.#head, ...more }));
  }

  /** On the source's own end, or when it is over without one: its usage may come after its stop. */
  #end(): void {
    if (this.#isOver || !this.#isStarted) return;
    this.#isOver = true;
    for (const choice of this.#choices.values()) {
      const usual = choice.hasCalls ? "tool_call" : "end";
      choice.finish({ kind: this.#isBlocked ? "content_filter" : usual });
    }
    const { asked, report } = this.#context;
    if (asked.streamUsage === true && this.#usage !== undefined) {
      this.#put([], writeIrUsage(this.#usage, report));
    }
    this.#out += DONE;
  }

  #fail(error: WireError): void {
    this.#isOver = true;
    this.#out += dataFrame({ error: errorObject(error) });
  }
}

interface Head {
  readonly id: Json;
  readonly created: Json;
  readonly model: Json;
}

function headOf({ id, created, model }: Head): JsonObject {
  return { id, object: "chat.completion.chunk", created, model };
}

/** No finish reason of this wire says that the answer failed: protocols.md 4.2. */
const FAILED: Readonly<Record<"error" | "timeout", WireError>> = {
  error: { class: "bad_upstream", status: 502, message: "The model failed to answer." },
  timeout: { class: "timeout", status: 504, message: "The model did not answer in time." },
};
