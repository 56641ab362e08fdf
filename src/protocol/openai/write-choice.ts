import type { AnswerContext } from "../codec.ts";
import type { Stop } from "../ir/answer.ts";
import { argsText } from "../ir/args.ts";
import type { Block, Citation, ReasoningBlock, TextBlock, ToolCallBlock } from "../ir/block.ts";
import type { Delta } from "../ir/event.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { citationLoss, codePoints, writeAnnotations } from "./citations.ts";
import { writeTokens } from "./logprobs.ts";
import { Reasoning, REASONING_GAP } from "./reasoning.ts";
import { finishReason } from "./stop.ts";
import { answerLoss, fallbackId } from "./write-message.ts";

export interface ChoicePlace {
  readonly c: number;
  readonly context: AnswerContext;
  /** Hands on one chunk with this choice in it. */
  readonly put: (choice: JsonObject) => void;
}

type Open =
  | { readonly kind: "text"; readonly start: number; readonly citations: Citation[] }
  | { readonly kind: "refusal" | "audio" | "lost" }
  | { readonly kind: "reasoning"; block: ReasoningBlock }
  | { readonly kind: "call"; readonly index: number; readonly freeform: boolean; hasArgs: boolean };

type Members = Readonly<Record<string, Json>>;

/** Writes one choice of a stream out of another protocol's events. */
export class ChoiceWriter {
  readonly #place: ChoicePlace;
  readonly #open = new Map<number, Open>();
  readonly #reasoned: Extract<Open, { kind: "reasoning" }>[] = [];
  readonly #annotations: JsonObject[] = [];
  #callCount = 0;
  /** Code points of text so far, and whether the last of them may be half a character. */
  #length = 0;
  #endsHalf = false;
  #isMoved = false;
  #refused = false;
  /** The piece of reasoning that was written last. */
  #lastThought: string | undefined;
  #isFinished = false;

  constructor(place: ChoicePlace) {
    this.#place = place;
    this.#put({ role: "assistant", content: null });
  }

  get hasCalls(): boolean {
    return this.#callCount > 0;
  }

  start(b: number, block: Block): void {
    const code = answerLoss(block);
    if (code !== undefined) {
      this.#report({ code, b, action: "dropped" });
      this.#open.set(b, { kind: "lost" });
      return;
    }
    switch (block.type) {
      case "text":
        return this.#startText(b, block);
      case "refusal":
        this.#open.set(b, { kind: "refusal" });
        return this.delta(b, { k: "refusal", text: block.text });
      case "reasoning":
        return this.#startReasoning(b, block);
      case "tool_call":
        return this.#startCall(b, block);
      case "media":
        this.#open.set(b, { kind: "audio" });
        return this.#put({ audio: { id: block.id ?? `audio_${this.#place.context.requestId}` } });
    }
  }

  delta(b: number, d: Delta): void {
    const open = this.#open.get(b);
    if (open === undefined || this.#isFinished) return;
    switch (d.k) {
      case "text":
        return open.kind === "text" ? this.#text(b, d.text) : undefined;
      case "refusal":
        if (d.text === "") return;
        this.#refused = true;
        return this.#put({ refusal: d.text });
      case "reasoning":
      case "summary":
      case "signature":
      case "sealed":
        return open.kind === "reasoning" ? this.#reason(b, open, d) : undefined;
      case "args":
        if (open.kind !== "call" || d.text === "") return;
        open.hasArgs = true;
        return this.#args(open.index, open.freeform, d.text);
      case "citation":
        if (open.kind === "text") open.citations.push(d.citation);
        return;
      case "logprobs": {
        if (d.tokens.length === 0) return;
        const tokens = writeTokens(d.tokens, { isOwn: false });
        const ofText = open.kind === "text";
        const logprobs = { content: ofText ? tokens : null, refusal: ofText ? null : tokens };
        return this.#put({}, { logprobs });
      }
      case "audio":
        return this.#put({ audio: compact({ data: d.data, transcript: d.transcript }) });
      case "proof":
      case "result":
      case "raw":
        return;
    }
  }

  stop(b: number, final: Block | undefined): void {
    const open = this.#open.get(b);
    this.#open.delete(b);
    if (open?.kind === "text") this.#cite(b, open);
    if (open?.kind === "call" && !open.hasArgs && !open.freeform) {
      const text = final?.type === "tool_call" ? argsText(final) : "{}";
      this.#args(open.index, open.freeform, text);
    }
  }

  /** The finish chunk; what clients must send back of the reasoning comes whole before it. */
  finish(stop: Stop): void {
    if (this.#isFinished) return;
    for (const b of [...this.#open.keys()]) this.stop(b, undefined);
    const reasoning = new Reasoning();
    for (const { block } of this.#reasoned) reasoning.add(block);
    const { details } = reasoning;
    // SDKs that put a message together keep the last list of a name they do not know.
    if (details !== undefined) this.#put({ reasoning_details: details });
    if (this.#annotations.length > 0) this.#put({ annotations: this.#annotations });
    if (stop.kind === "refusal" && !this.#refused && stop.detail !== undefined) {
      this.#refused = true; // Only the stop explains it: protocols.md 4.2.
      this.#put({ refusal: stop.detail });
    }
    const { report } = this.#place.context;
    const word = finishReason(stop, { refused: this.#refused, report });
    this.#put({}, { finish_reason: word });
    this.#isFinished = true;
  }

  #put(delta: Members, more: Members = {}): void {
    const { c, put } = this.#place;
    put({ index: c, delta, logprobs: null, finish_reason: null, ...more });
  }

  #report({
    code,
    b,
    action,
  }: {
    code: "L-CITE" | "L-ORDER" | AnswerLoss;
    b: number;
    action: "dropped" | "moved" | "approximated";
  }) {
    const path = `candidates[${this.#place.c}].blocks[${b}]`;
    this.#place.context.report({ code, path, action });
  }

  #startText(b: number, block: TextBlock): void {
    this.#open.set(b, {
      kind: "text",
      start: this.#length,
      citations: [...(block.citations ?? [])],
    });
    this.#text(b, block.text);
  }

  #text(b: number, text: string): void {
    if (text === "") return;
    if (this.#callCount > 0 && !this.#isMoved) {
      this.#isMoved = true;
      this.#report({ code: "L-ORDER", b, action: "moved" });
    }
    this.#count(text);
    this.#put({ content: text });
  }

  #count(text: string): void {
    const first = text.charCodeAt(0) & 0xfc00;
    const last = text.charCodeAt(text.length - 1) & 0xfc00;
    this.#length += codePoints(text) - (this.#endsHalf && first === 0xdc00 ? 1 : 0);
    this.#endsHalf = last === 0xd800;
  }

  /** At the block's end, because a citation without a place of its own is of the whole block. */
  #cite(b: number, { start, citations }: Extract<Open, { kind: "text" }>): void {
    for (const citation of citations) {
      const annotations = writeAnnotations(citation, { start, end: this.#length });
      const action = citationLoss(citation, annotations);
      if (action !== undefined) this.#report({ code: "L-CITE", b, action });
      this.#annotations.push(...annotations);
    }
  }

  #startReasoning(b: number, block: ReasoningBlock): void {
    const { text = "", summary = [] } = block;
    const open = {
      kind: "reasoning",
      block: { ...block, text: undefined, summary: undefined },
    } as const;
    const started: Extract<Open, { kind: "reasoning" }> = { ...open };
    this.#open.set(b, started);
    this.#reasoned.push(started);
    if (text !== "") this.delta(b, { k: "reasoning", text });
    for (const [part, said] of summary.entries()) {
      this.delta(b, { k: "summary", part, text: said });
    }
  }

  #reason(b: number, open: Extract<Open, { kind: "reasoning" }>, d: ReasoningDelta): void {
    const { block } = open;
    switch (d.k) {
      case "signature":
        open.block = { ...block, signature: d.signed };
        return;
      case "sealed":
        open.block = { ...block, sealed: d.signed };
        return;
      case "reasoning":
        open.block = { ...block, text: (block.text ?? "") + d.text };
        return this.#think(`${b}`, d.text);
      case "summary": {
        const summary = [...(block.summary ?? [])];
        while (summary.length <= d.part && summary.length < SUMMARY_PARTS_MAX) summary.push("");
        const part = Math.min(d.part, summary.length - 1);
        summary[part] += d.text;
        open.block = { ...block, summary };
        return this.#think(`${b}/${part}`, d.text);
      }
    }
  }

  #think(piece: string, text: string): void {
    if (text === "") return;
    const isNext = this.#lastThought !== undefined && this.#lastThought !== piece;
    this.#lastThought = piece;
    this.#put({ reasoning_content: isNext ? REASONING_GAP + text : text });
  }

  #startCall(b: number, block: ToolCallBlock): void {
    const { context, c } = this.#place;
    const index = this.#callCount++;
    const { name, callId: id = fallbackId(context, c, index), freeform = false } = block;
    const isWhole = block.argsValue !== undefined || (block.args ?? "") !== "";
    const text = !isWhole ? "" : freeform ? (block.args ?? "") : argsText(block);
    this.#open.set(b, { kind: "call", index, freeform, hasArgs: isWhole });
    const call = freeform
      ? { index, id, type: "custom", custom: { name, input: text } }
      : { index, id, type: "function", function: { name, arguments: text } };
    this.#put({ tool_calls: [call] });
  }

  #args(index: number, freeform: boolean, text: string): void {
    const call = freeform
      ? { index, custom: { input: text } }
      : { index, function: { arguments: text } };
    this.#put({ tool_calls: [call] });
  }
}

type AnswerLoss = NonNullable<ReturnType<typeof answerLoss>>;
type ReasoningDelta = Extract<Delta, { k: "reasoning" | "summary" | "signature" | "sealed" }>;
/** A summary has a handful of parts; a number far above that would only fill memory. */
const SUMMARY_PARTS_MAX = 1024;
