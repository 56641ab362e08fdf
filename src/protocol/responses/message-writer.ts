import type { Citation, RefusalBlock, TextBlock, TokenLogprob } from "../ir/block.ts";
import type { JsonObject } from "../ir/json.ts";
import { codePoints, writeAnnotations } from "./annotations.ts";
import type { Desk, ItemWriter } from "./desk.ts";
import { messageItem, outputText, refusalPart } from "./item-parts.ts";
import { writeLogprobs } from "./logprobs.ts";

/** One block's place in the message. */
interface Place {
  readonly inPart: number;
  readonly inAnswer: number;
  readonly contentIndex: number;
  length: number;
  /** Citations of the whole block, whose end is not known before it ends. */
  readonly held: Citation[];
}
interface Part {
  readonly type: "output_text" | "refusal";
  text: string;
  length: number;
  readonly annotations: JsonObject[];
  readonly logprobs: JsonObject[];
}
type Said = TextBlock | RefusalBlock;

/**
 * One message: a run of text becomes one part, as OpenAI writes it and as programs read it, however
 * many blocks it was cut into elsewhere. Blocks with a group are parts of their own.
 */
export class MessageWriter implements ItemWriter {
  readonly #desk: Desk;
  readonly #first: Said;
  readonly #parts: JsonObject[] = [];
  readonly #places = new Map<number, Place>();
  #part: Part | undefined;
  #index = -1;
  #id = "";
  #active: number | undefined;
  #isLast = true;
  #isClosed = false;

  constructor(desk: Desk, first: Said) {
    this.#desk = desk;
    this.#first = first;
  }

  /** Whether a block goes on with this message. */
  accepts({ group, id }: Said): boolean {
    if (this.#active !== undefined || this.#isClosed) return false;
    return group === this.#first.group && id === this.#first.id;
  }

  start(b: number, block: Said): void {
    this.#active = b;
    const type = block.type === "text" ? "output_text" : "refusal";
    const isOwn = block.group !== undefined;
    if (this.#part !== undefined && (isOwn || this.#part.type !== type)) this.#closePart();
    this.#places.set(b, {
      inPart: this.#part?.length ?? 0,
      inAnswer: this.#desk.textLength,
      contentIndex: this.#parts.length,
      length: 0,
      held: [],
    });
    if (isOwn || type === "refusal") this.#openPart(type);
    if (block.type === "refusal") {
      this.refuse(block.text);
      return;
    }
    this.write(b, block.text);
    for (const citation of block.citations ?? []) this.cite(b, citation);
    if (block.logprobs !== undefined) this.weigh(block.logprobs);
  }

  write(b: number, text: string): void {
    if (text === "" || this.#isClosed) return;
    const part = this.#openPart("output_text");
    const length = codePoints(text);
    part.text += text;
    part.length += length;
    this.#desk.textLength += length;
    const place = this.#places.get(b);
    if (place !== undefined) place.length += length;
    this.#emit("response.output_text.delta", { delta: text, logprobs: [] });
  }

  refuse(text: string): void {
    if (text === "" || this.#isClosed) return;
    this.#openPart("refusal").text += text;
    this.#emit("response.refusal.delta", { delta: text });
  }

  cite(b: number, citation: Citation): void {
    const place = this.#places.get(b);
    if (place === undefined || this.#isClosed || this.#parts.length !== place.contentIndex) {
      this.#lose(b);
    } else if (citation.span === undefined && this.#active === b) {
      place.held.push(citation);
    } else {
      this.#annotate(b, place, citation);
    }
  }

  weigh(tokens: readonly TokenLogprob[]): void {
    if (tokens.length === 0 || this.#isClosed) return;
    const part = this.#openPart("output_text");
    const logprobs = writeLogprobs(tokens);
    part.logprobs.push(...logprobs);
    this.#emit("response.output_text.delta", { delta: "", logprobs });
  }

  stop(b: number): void {
    if (this.#active !== b) return;
    this.#active = undefined;
    const place = this.#places.get(b);
    for (const citation of place?.held ?? []) this.#annotate(b, place!, citation);
    if (!this.#isLast) this.close();
  }

  /** Something else follows: the message ends with the block that is being written, if any. */
  leave(): void {
    this.#isLast = false;
    if (this.#active === undefined) this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#closePart();
    this.#isClosed = true;
    if (this.#index >= 0) this.#desk.close(this.#index, this.#item("completed"));
  }

  #annotate(b: number, place: Place, citation: Citation): void {
    const at = { report: this.#desk.report, path: `candidates[0].blocks[${b}]` };
    for (const annotation of writeAnnotations(citation, place, at)) {
      const { annotations } = this.#openPart("output_text");
      const annotation_index = annotations.push(annotation) - 1;
      this.#emit("response.output_text.annotation.added", { annotation, annotation_index });
    }
  }

  #lose(b: number): void {
    const path = `candidates[0].blocks[${b}]`;
    this.#desk.report({ code: "L-CITE", path, action: "dropped" });
  }

  #openPart(type: Part["type"]): Part {
    if (this.#part?.type === type) return this.#part;
    this.#closePart();
    this.#openItem();
    const part: Part = { type, text: "", length: 0, annotations: [], logprobs: [] };
    this.#part = part;
    this.#emit("response.content_part.added", { part: written(part) });
    return part;
  }

  #closePart(): void {
    const part = this.#part;
    if (part === undefined) return;
    const { text } = part;
    if (part.type === "refusal") {
      this.#emit("response.refusal.done", { refusal: text });
    } else {
      this.#emit("response.output_text.done", { text, logprobs: part.logprobs });
    }
    this.#emit("response.content_part.done", { part: written(part) });
    this.#parts.push(written(part));
    this.#part = undefined;
  }

  #openItem(): void {
    if (this.#index >= 0) return;
    this.#id = this.#first.id ?? this.#desk.mint.id("msg", this.#desk.next);
    this.#index = this.#desk.open(this.#item("in_progress"));
  }

  #item(status: "in_progress" | "completed"): JsonObject {
    const content = [...this.#parts];
    return messageItem({ id: this.#id, status, phase: this.#first.phase, content });
  }

  #emit(type: string, body: JsonObject): void {
    this.#desk.emit(type, {
      item_id: this.#id,
      output_index: this.#index,
      content_index: this.#parts.length,
      ...body,
    });
  }
}

function written({ type, text, annotations, logprobs }: Part): JsonObject {
  if (type === "refusal") return refusalPart(text);
  return outputText(text, [...annotations], [...logprobs]);
}
