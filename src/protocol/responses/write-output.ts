import type { AnswerContext } from "../codec.ts";
import type { Block } from "../ir/block.ts";
import type { Delta } from "../ir/event.ts";
import type { JsonObject } from "../ir/json.ts";
import type { LossCode } from "../ir/loss.ts";
import { CallWriter } from "./call-writer.ts";
import { Desk, type Emit, type ItemWriter } from "./desk.ts";
import { mint } from "./ids.ts";
import { MessageWriter } from "./message-writer.ts";
import { ReasoningWriter } from "./reasoning-writer.ts";

/** The output items of a whole answer: the same that its stream would build up. */
export function writeOutput(
  blocks: readonly Block[],
  context: AnswerContext,
): readonly JsonObject[] {
  const output = new Output(context, () => undefined);
  for (const [b, block] of blocks.entries()) {
    output.start(b, block);
    output.stop(b);
  }
  output.close();
  return output.items;
}

/** Builds the output items of an answer out of its blocks, and tells each step. */
export class Output {
  readonly #desk: Desk;
  readonly #writers = new Map<number, ItemWriter>();
  /** The message that text may go on with. */
  #tail: MessageWriter | undefined;
  #hasRefusal = false;

  constructor({ report, requestId }: AnswerContext, emit: Emit) {
    this.#desk = new Desk({ report, mint: mint(requestId), emit });
  }

  get items(): readonly JsonObject[] {
    return this.#desk.items;
  }
  get doneItems(): readonly JsonObject[] {
    return this.#desk.doneItems;
  }
  get hasRefusal(): boolean {
    return this.#hasRefusal;
  }

  start(b: number, block: Block): void {
    if (this.#writers.has(b)) return;
    switch (block.type) {
      case "text":
      case "refusal":
        this.#hasRefusal ||= block.type === "refusal";
        if (this.#tail?.accepts(block) !== true) {
          this.#leave();
          this.#tail = new MessageWriter(this.#desk, block);
        }
        this.#writers.set(b, this.#tail!);
        this.#tail!.start(b, block);
        return;
      case "reasoning": {
        this.#leave();
        const writer = new ReasoningWriter(this.#desk, block);
        this.#writers.set(b, writer);
        writer.start();
        return;
      }
      case "tool_call": {
        this.#leave();
        const writer = new CallWriter(this.#desk, block);
        this.#writers.set(b, writer);
        writer.start();
        return;
      }
      default:
        this.#startOther(b, block);
    }
  }

  delta(b: number, d: Delta): void {
    const writer = this.#writers.get(b);
    if (writer instanceof MessageWriter) {
      if (d.k === "text") writer.write(b, d.text);
      else if (d.k === "refusal") writer.refuse(d.text);
      else if (d.k === "citation") writer.cite(b, d.citation);
      else if (d.k === "logprobs") writer.weigh(d.tokens);
    } else if (writer instanceof ReasoningWriter) {
      if (d.k === "reasoning") writer.write(d.text);
      else if (d.k === "summary") writer.summarize(d.part, d.text);
      else if (d.k === "signature" || d.k === "sealed") writer.seal(d.signed);
    } else if (writer instanceof CallWriter && d.k === "args") {
      writer.write(d.text);
    }
  }

  /** `final` matters for what only its own protocol can read. */
  stop(b: number, final?: Block): void {
    const writer = this.#writers.get(b);
    if (writer instanceof RawWriter) writer.become(rawOf(final));
    writer?.stop(b);
  }

  /** Ends whatever has not ended. */
  close(): void {
    for (const [b, writer] of this.#writers) writer.stop(b);
    this.#leave();
  }

  #leave(): void {
    this.#tail?.leave();
    this.#tail = undefined;
  }

  #startOther(b: number, block: Block): void {
    const raw = rawOf(block);
    if (raw !== undefined) {
      this.#leave();
      const writer = new RawWriter(this.#desk, raw);
      this.#writers.set(b, writer);
      return;
    }
    const code = LOST[block.type] ?? "L-UNKNOWN-BLOCK";
    const path = `candidates[0].blocks[${b}]`;
    this.#desk.report({ code, path, action: "dropped", detail: block.type });
  }
}

/** What an answer of another protocol may hold that has no item here. */
const LOST: { readonly [T in Block["type"]]?: LossCode } = {
  hosted_call: "L-HOSTED",
  hosted_result: "L-HOSTED",
  tool_result: "L-HOSTED",
  search_result: "L-CITE",
  media: "L-MODALITY",
  cache_mark: "L-CACHE",
};

function rawOf(block: Block | undefined): JsonObject | undefined {
  switch (block?.type) {
    case "hosted_call":
    case "hosted_result":
    case "compaction":
    case "opaque":
      return block.vendor === "responses" ? block.raw : undefined;
    default:
      return undefined;
  }
}

/** An item of this wire's own that is carried whole. */
class RawWriter implements ItemWriter {
  readonly #desk: Desk;
  readonly #index: number;
  #raw: JsonObject;
  #isClosed = false;

  constructor(desk: Desk, raw: JsonObject) {
    this.#desk = desk;
    this.#raw = raw;
    this.#index = desk.open(raw);
  }

  /** What came of it, where that is told. */
  become(raw: JsonObject | undefined): void {
    if (raw !== undefined) this.#raw = raw;
  }

  stop(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#desk.close(this.#index, this.#raw);
  }
}
