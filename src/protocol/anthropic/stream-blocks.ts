import { argsText } from "../ir/args.ts";
import type { Block, Citation, Signed } from "../ir/block.ts";
import type { Delta } from "../ir/event.ts";
import { compact } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { LossCode } from "../ir/loss.ts";
import type { Ext } from "../ir/node.ts";
import type { BlockEvent } from "../ir/block-order.ts";
import { frame } from "./frame.ts";
import { innerObject } from "./own-fields.ts";
import { skeleton } from "./skeleton.ts";
import { plain, shownReasoning } from "./write-blocks.ts";
import { losesPart, writeCitation } from "./write-citations.ts";
import type { Writing } from "./writing.ts";

/** The one block that is open. */
interface Open {
  readonly path: string;
  readonly block: Block;
  /** What it begins with; undefined when this wire does not show such a block. */
  readonly start: JsonObject | undefined;
  readonly startExt: Ext | undefined;
  index: number | undefined;
  /** Some text, or arguments, were written. */
  hasGrown: boolean;
  summaryPart: number;
  /** A seal becomes a block of its own behind this one. */
  sealed: Signed | undefined;
}

/** Spells blocks that come one after another, under dense indexes. */
export class StreamBlocks {
  readonly #writing: Writing;
  readonly #lost = new Set<string>();
  #open: Open | undefined;
  #indexNext = 0;
  #hasRefusal = false;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  /** Some of the text was a refusal. */
  get hasRefusal(): boolean {
    return this.#hasRefusal;
  }

  write(event: BlockEvent): string {
    switch (event.t) {
      case "block_start":
        return this.#start(event);
      case "delta":
        return this.#open === undefined ? "" : this.#grow(this.#open, event.d, event.ext);
      case "block_stop":
        return this.#open === undefined ? "" : this.#stop(this.#open, event);
    }
  }

  /** Reports once for each block and code. */
  lose(code: LossCode, path: string, action: "dropped" | "approximated" = "dropped"): void {
    const key = `${code} ${path}`;
    if (this.#lost.has(key)) return;
    this.#lost.add(key);
    this.#writing.report({ code, path, action });
  }

  #start({ b, block, ext }: Extract<BlockEvent, { readonly t: "block_start" }>): string {
    const path = `candidates[0].blocks[${b}]`;
    const start = skeleton(block, this.#writing);
    const open: Open = {
      path,
      block,
      start,
      startExt: ext,
      index: undefined,
      hasGrown: false,
      summaryPart: 0,
      sealed: undefined,
    };
    this.#open = open;
    if (start === undefined) this.lose(lossOf(block), path);
    if (block.type === "refusal") this.#hasRefusal = true;
    // Reasoning may turn out to be sealed and nothing else: then it has no block to read.
    const mayBeEmpty = block.type === "reasoning" && block.sealed === undefined;
    const begun = mayBeEmpty && !this.#writing.isOwn ? "" : this.#begin(open);
    return begun + this.#growAll(open, contentOf(block, this.#writing));
  }

  #begin(open: Open): string {
    if (open.index !== undefined || open.start === undefined) return "";
    open.index = this.#indexNext++;
    const members = { type: "content_block_start", index: open.index, content_block: open.start };
    return frame("content_block_start", compact(members, open.startExt?.anthropic));
  }

  #growAll(open: Open, deltas: readonly Delta[]): string {
    return deltas.map((delta) => this.#grow(open, delta)).join("");
  }

  #grow(open: Open, delta: Delta, ext?: Ext): string {
    if (open.start === undefined) return "";
    const written = this.#spell(open, delta);
    if (written.length === 0) return "";
    const own = ext?.anthropic;
    const begun = this.#begin(open);
    const frames = written.map((each) => {
      const members = {
        type: "content_block_delta",
        index: open.index,
        delta: innerObject(each, { own, name: "delta" }),
      };
      return frame("content_block_delta", compact(members, own));
    });
    return begun + frames.join("");
  }

  /** What a delta is here: mostly one, none where this wire has no place for it. */
  #spell(open: Open, delta: Delta): readonly JsonObject[] {
    switch (delta.k) {
      case "refusal":
        this.#hasRefusal = true;
        return this.#text(open, delta.text);
      case "text":
        return this.#text(open, delta.text);
      case "reasoning":
        open.hasGrown = true;
        return [{ type: "thinking_delta", thinking: delta.text }];
      case "summary": {
        const isNext = open.hasGrown && delta.part !== open.summaryPart;
        open.hasGrown = true;
        open.summaryPart = delta.part;
        return [{ type: "thinking_delta", thinking: (isNext ? "\n\n" : "") + delta.text }];
      }
      case "signature":
        return [{ type: "signature_delta", signature: plain(delta.signed) }];
      case "sealed":
        open.sealed = delta.signed;
        return [];
      case "args":
        open.hasGrown = true;
        return [{ type: "input_json_delta", partial_json: delta.text }];
      case "citation":
        return this.#cite(open, delta.citation);
      case "proof":
        this.lose("L-REASONING-FOREIGN", open.path);
        return [];
      case "logprobs":
        if (delta.tokens.length > 0) this.lose("L-LOGPROBS", open.path);
        return [];
      case "audio":
        this.lose("L-MODALITY", open.path);
        return delta.transcript === undefined ? [] : this.#text(open, delta.transcript);
      case "result":
        this.lose("L-HOSTED", open.path);
        return [];
      case "raw":
        return this.#writing.isOwn ? [delta.data as JsonObject] : [];
    }
  }

  #text(open: Open, text: string): readonly JsonObject[] {
    open.hasGrown = true;
    return [{ type: "text_delta", text }];
  }

  #cite(open: Open, citation: Citation): readonly JsonObject[] {
    const written = writeCitation(citation, this.#writing);
    // The text is out already, so that it can no longer be cut at the edges of the span.
    if (written.length === 0) this.lose("L-CITE", open.path);
    else if (citation.span !== undefined || losesPart(citation, this.#writing)) {
      this.lose("L-CITE", open.path, "approximated");
    }
    return written.map((each) => ({ type: "citations_delta", citation: each }));
  }

  #stop(open: Open, { final, ext }: Extract<BlockEvent, { readonly t: "block_stop" }>): string {
    this.#open = undefined;
    const late = final === undefined ? "" : this.#repair(open, final);
    const members = { type: "content_block_stop", index: open.index };
    const stopped =
      open.index === undefined ? "" : frame("content_block_stop", compact(members, ext?.anthropic));
    return late + stopped + (open.sealed === undefined ? "" : this.#seal(open.sealed));
  }

  /** What the source says at the end only, or says again: the deltas that came are right. */
  #repair(open: Open, final: Block): string {
    if (final.type === "reasoning") open.sealed ??= final.sealed;
    return open.hasGrown ? "" : this.#growAll(open, contentOf(final, this.#writing));
  }

  #seal(sealed: Signed): string {
    const index = this.#indexNext++;
    const content_block = { type: "redacted_thinking", data: plain(sealed) };
    return (
      frame("content_block_start", { type: "content_block_start", index, content_block }) +
      frame("content_block_stop", { type: "content_block_stop", index })
    );
  }
}

/** What stands in a block itself, as deltas: some wires send all with the start or the stop. */
function contentOf(block: Block, writing: Writing): readonly Delta[] {
  switch (block.type) {
    case "text":
    case "refusal": {
      const text: readonly Delta[] = block.text === "" ? [] : [{ k: "text", text: block.text }];
      if (block.type === "refusal" || writing.isOwn) return text;
      const cited = (block.citations ?? []).map(
        (citation) => ({ k: "citation", citation }) as const,
      );
      return [...text, ...cited];
    }
    case "reasoning": {
      const text = shownReasoning(block) ?? "";
      const { signature } = block;
      return [
        ...(text === "" ? [] : [{ k: "reasoning", text } as const]),
        ...(signature === undefined ? [] : [{ k: "signature", signed: signature } as const]),
      ];
    }
    case "tool_call": {
      const isEmpty = (block.args ?? "") === "" && block.argsValue === undefined;
      return isEmpty ? [] : [{ k: "args", text: argsText(block) }];
    }
    case "media":
      return block.transcript === undefined ? [] : [{ k: "text", text: block.transcript }];
    case "tool_result":
    case "search_result":
    case "hosted_call":
    case "hosted_result":
    case "cache_mark":
    case "compaction":
    case "opaque":
      return [];
  }
}

function lossOf({ type }: Block): LossCode {
  if (type === "media") return "L-ASSISTANT-MEDIA";
  return type === "hosted_call" || type === "hosted_result" ? "L-HOSTED" : "L-UNKNOWN-BLOCK";
}
