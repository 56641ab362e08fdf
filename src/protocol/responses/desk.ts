import type { Report } from "../ir/loss.ts";
import type { JsonObject } from "../ir/json.ts";
import type { FrameBody } from "./frame.ts";
import type { Mint } from "./ids.ts";

/** Takes an event of a stream; a whole answer needs none of them. */
export type Emit = (type: string, body: FrameBody) => void;

/** Where the items of an answer are put down: it numbers them and tells what becomes of them. */
export class Desk {
  readonly report: Report;
  readonly mint: Mint;
  readonly emit: Emit;
  /** Code points of text in the answer so far. */
  textLength = 0;
  readonly #items: JsonObject[] = [];
  readonly #done: boolean[] = [];

  constructor(tools: { readonly report: Report; readonly mint: Mint; readonly emit: Emit }) {
    this.report = tools.report;
    this.mint = tools.mint;
    this.emit = tools.emit;
  }

  /** The index of the next item to be opened. */
  get next(): number {
    return this.#items.length;
  }
  /** The items, an unfinished one as it was opened. */
  get items(): readonly JsonObject[] {
    return this.#items;
  }
  get doneItems(): readonly JsonObject[] {
    return this.#items.filter((_, index) => this.#done[index]);
  }

  open(item: JsonObject): number {
    const index = this.#items.push(item) - 1;
    this.#done.push(false);
    this.emit("response.output_item.added", { item, output_index: index });
    return index;
  }
  close(index: number, item: JsonObject): void {
    this.#items[index] = item;
    this.#done[index] = true;
    this.emit("response.output_item.done", { item, output_index: index });
  }
}

/** Writes one item while the blocks it is made of grow. */
export interface ItemWriter {
  /** The block `b` ended. */
  stop(b: number): void;
}
