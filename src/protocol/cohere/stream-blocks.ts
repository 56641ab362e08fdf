import type { Block } from "../ir/block.ts";
import type { JsonObject } from "../ir/json.ts";
import type { LossCode } from "../ir/loss.ts";
import { type PointText, pointText } from "./write-citations.ts";

/** More text than this is not kept for the citations in it; what they quote is then left out. */
const KEPT_LENGTH_MAX = 1 << 16;

/** One block of a stream that is being written. */
export class OpenBlock {
  readonly kind: "text" | "thinking" | "plan" | "call" | "opaque" | "gone";
  readonly path: string;
  /** What is reported of a block that has no place. */
  readonly lost: LossCode;
  readonly raw: JsonObject;
  /** The index on the wire; -1 while nothing of it was written. */
  index = -1;
  isEnded = false;
  /** Something of it was proof or seal, which this wire does not show. */
  isSecret = false;
  /** A call's arguments have begun. */
  hasText = false;
  #text = "";
  #length = 0;
  #part = 0;

  constructor(kind: OpenBlock["kind"], told: Partial<Pick<OpenBlock, "path" | "lost" | "raw">>) {
    this.kind = kind;
    this.path = told.path ?? "";
    this.lost = told.lost ?? "L-UNKNOWN-BLOCK";
    this.raw = told.raw ?? {};
  }

  keep(text: string): void {
    this.#length += codePoints(text);
    if (this.#text.length <= KEPT_LENGTH_MAX) this.#text += text;
  }

  /** The text so far, for a citation in it. */
  points(): PointText {
    if (this.#text.length <= KEPT_LENGTH_MAX) return pointText(this.#text);
    return { slice: () => undefined, length: this.#length };
  }

  /** Parts of a summary become paragraphs of one text. */
  summaryText({ part, text }: { readonly part: number; readonly text: string }): string {
    const isNext = part !== this.#part;
    this.#part = part;
    return isNext ? `\n\n${text}` : text;
  }
}

/** The state of a block that begins. */
export function openBlock(block: Block, path: string): OpenBlock {
  switch (block.type) {
    case "text":
    case "refusal":
      return new OpenBlock("text", { path });
    case "reasoning": {
      const open = new OpenBlock(block.planOf === "tool" ? "plan" : "thinking", { path });
      open.isSecret = block.signature !== undefined || block.sealed !== undefined;
      return open;
    }
    case "tool_call":
      return new OpenBlock("call", { path });
    case "opaque":
      if (block.vendor !== "cohere") return new OpenBlock("gone", { path });
      return new OpenBlock("opaque", { path, raw: block.raw });
    case "hosted_call":
    case "hosted_result":
      return new OpenBlock("gone", { path, lost: "L-HOSTED" });
    case "media":
      return new OpenBlock("gone", { path, lost: "L-MODALITY" });
    case "tool_result":
    case "search_result":
    case "cache_mark":
    case "compaction":
      return new OpenBlock("gone", { path });
  }
}

/** Text that a skeleton holds already. */
export function textOf(block: Block): string {
  switch (block.type) {
    case "text":
    case "refusal":
      return block.text;
    case "reasoning":
      return block.text ?? "";
  }
  return "";
}

function codePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit < 0xdc00) count--;
  }
  return count;
}
