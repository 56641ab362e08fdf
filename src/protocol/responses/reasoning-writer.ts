import type { ReasoningBlock, Signed } from "../ir/block.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Desk, ItemWriter } from "./desk.ts";
import { reasoningItem, reasoningPart, summaryPart } from "./item-parts.ts";

/** What the text of another protocol's reasoning is a part of: the only one of its kind. */
const WHOLE = -1;

/**
 * One reasoning item. Raw text of another protocol is a summary to this one, where programs look
 * for it; a proof of any kind stands in `encrypted_content` (protocols.md 3.9, carriers).
 */
export class ReasoningWriter implements ItemWriter {
  readonly #desk: Desk;
  readonly #block: ReasoningBlock;
  /** A block with summaries has them apart from its text, as this wire does. */
  readonly #isOwn: boolean;
  readonly #summary: JsonObject[] = [];
  #index = -1;
  #id = "";
  #isClosed = false;
  /** The summary part being written: its number in the source, and its text. */
  #part: { readonly number: number; text: string } | undefined;
  #text: string | undefined;
  #sealed: string | undefined;

  constructor(desk: Desk, block: ReasoningBlock) {
    this.#desk = desk;
    this.#block = block;
    this.#isOwn = block.summary !== undefined;
  }

  start(): void {
    const { text, summary, signature, sealed } = this.#block;
    if (this.#isOwn) this.#open();
    if (text !== undefined) this.write(text);
    for (const [number, part] of (summary ?? []).entries()) this.summarize(number, part);
    this.seal(sealed ?? signature);
  }

  write(text: string): void {
    if (text === "" || this.#isClosed) return;
    if (!this.#isOwn) {
      this.summarize(WHOLE, text);
      return;
    }
    this.#open();
    if (this.#text === undefined) {
      this.#text = "";
      this.#emit("response.content_part.added", { content_index: 0, part: reasoningPart("") });
    }
    this.#text += text;
    this.#emit("response.reasoning_text.delta", { content_index: 0, delta: text });
  }

  summarize(number: number, text: string): void {
    if (text === "" || this.#isClosed) return;
    this.#open();
    if (this.#part?.number !== number) this.#openPart(number);
    this.#part!.text += text;
    const at = { summary_index: this.#summary.length };
    this.#emit("response.reasoning_summary_text.delta", { ...at, delta: text });
  }

  seal(signed: Signed | undefined): void {
    if (signed !== undefined) this.#sealed = signed.value;
  }

  stop(): void {
    if (this.#isClosed) return;
    if (this.#sealed !== undefined) this.#open();
    this.#isClosed = true;
    if (this.#index < 0) return; // Nothing was said and nothing has to go back.
    this.#closePart();
    if (this.#text !== undefined) {
      const part = reasoningPart(this.#text);
      this.#emit("response.reasoning_text.done", { content_index: 0, text: this.#text });
      this.#emit("response.content_part.done", { content_index: 0, part });
    }
    this.#desk.close(this.#index, this.#item());
  }

  #open(): void {
    if (this.#index >= 0) return;
    this.#id = this.#block.id ?? this.#desk.mint.id("rs", this.#desk.next);
    this.#index = this.#desk.open(reasoningItem({ ...EMPTY, id: this.#id }));
  }

  #openPart(number: number): void {
    this.#closePart();
    this.#part = { number, text: "" };
    const at = { summary_index: this.#summary.length };
    this.#emit("response.reasoning_summary_part.added", { ...at, part: summaryPart("") });
  }

  #closePart(): void {
    if (this.#part === undefined) return;
    const { text } = this.#part;
    const at = { summary_index: this.#summary.length };
    const part = summaryPart(text);
    this.#emit("response.reasoning_summary_text.done", { ...at, text });
    this.#emit("response.reasoning_summary_part.done", { ...at, part });
    this.#summary.push(part);
    this.#part = undefined;
  }

  #item(): JsonObject {
    return reasoningItem({
      id: this.#id,
      summary: this.#summary,
      content: this.#text === undefined ? [] : [reasoningPart(this.#text)],
      sealed: this.#sealed,
    });
  }

  #emit(type: string, body: JsonObject): void {
    this.#desk.emit(type, { item_id: this.#id, output_index: this.#index, ...body });
  }
}

const EMPTY = { summary: [], content: [], sealed: undefined };
