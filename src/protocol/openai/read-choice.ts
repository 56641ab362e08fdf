import type { Stop } from "../ir/answer.ts";
import type { ReasoningBlock } from "../ir/block.ts";
import type { Delta, IrEvent } from "../ir/event.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { CallReader } from "./read-call.ts";
import { readAnnotations } from "./citations.ts";
import { readTokens } from "./logprobs.ts";
import { LOGPROB_PLACES } from "./read-answer.ts";
import { REASONING_SLOTS } from "./read-assistant.ts";
import { thinkingText } from "./read-parts.ts";
import { type Detail, grown, readDetail } from "./reasoning-details.ts";
import { spelled } from "./spelling.ts";
import { readStop } from "./stop.ts";

type Emit = (event: IrEvent) => void;
type FlowKind = "text" | "refusal" | "reasoning";

/** A block that grows until another kind of content comes. */
interface Flow {
  readonly b: number;
  readonly kind: FlowKind;
  /** Tells pieces of reasoning apart that have no end of their own. */
  readonly key: string;
}

/** The key of reasoning that stands among the parts of a content. */
const PARTS = "content";

/** Reads one choice of a stream. Blocks of text follow each other; calls stay open to its end. */
export class ChoiceReader {
  readonly #c: number;
  readonly #emit: Emit;
  readonly #calls: CallReader;
  readonly #lastOf = new Map<FlowKind, number>();
  #next = 0;
  #flow: Flow | undefined;
  #audio: number | undefined;
  #word: string | undefined;

  constructor(c: number, emit: Emit) {
    this.#c = c;
    this.#emit = emit;
    this.#calls = new CallReader({
      c,
      emit,
      number: () => {
        this.#close();
        return this.#next++;
      },
    });
  }

  /** Emits what the choice says; returns the rest, which the writer of this wire puts back. */
  read(choice: JsonObject): JsonObject {
    const fields = new Fields(choice);
    const members: Record<string, Json> = {};
    const delta = fields.object("delta");
    if (delta !== undefined) members["delta"] = this.#readDelta(delta);
    this.#readLogprobs(choice["logprobs"]);
    const word = choice["finish_reason"];
    if (typeof word === "string" && (word !== "" || this.#word === undefined)) this.#word = word;
    return compact(members, fields.ext("openai")?.openai);
  }

  /**
   * The choice is over: what is open closes, and why it ended is told once. A host that closed its
   * stream with every ceremony but that word has finished it, too.
   */
  finish({ isDone }: { readonly isDone: boolean }): void {
    if (this.#word === undefined && !isDone) return;
    this.#calls.start();
    const open = [this.#flow?.b, this.#audio, ...this.#calls.open];
    for (const b of open.filter((each) => each !== undefined).sort((one, other) => one - other)) {
      this.#emit({ t: "block_stop", c: this.#c, b });
    }
    const refused = this.#lastOf.has("refusal");
    const word = this.#word;
    const stop: Stop = word === undefined ? { kind: "other" } : readStop(word, { refused });
    this.#emit({ t: "stop", c: this.#c, stop });
  }

  #readDelta(delta: JsonObject): JsonObject {
    const fields = new Fields(delta);
    this.#readReasoning(fields);
    this.#readContent(fields);
    const refusal = fields.peek("refusal");
    if (typeof refusal === "string" && refusal !== "") {
      fields.skip("refusal");
      this.#say("refusal", { k: "refusal", text: refusal });
    }
    this.#readAnnotations(delta["annotations"]);
    this.#readAudio(delta["audio"]);
    this.#calls.read(delta);
    return fields.ext("openai")?.openai ?? {};
  }

  #readContent(fields: Fields): void {
    const content = fields.peek("content");
    if (typeof content === "string" && content !== "") {
      fields.skip("content");
      this.#say("text", { k: "text", text: content });
    }
    // Mistral's parts stay as they are, because their list is what the writer needs.
    for (const part of isList(content) ? content : []) {
      if (!isObject(part)) continue;
      const { text, thinking } = part;
      const thought = typeof thinking === "string" ? thinking : thinkingText(thinking);
      if (thought) this.#reason(PARTS, { k: "reasoning", text: thought });
      if (typeof text === "string" && text !== "") this.#say("text", { k: "text", text });
    }
  }

  /** Details say more than the one text beside them, which then only repeats them. */
  #readReasoning(fields: Fields): void {
    const list = fields.peek("reasoning_details");
    const ids = this.#calls.ids;
    const details = (isList(list) ? list : []).flatMap((entry) => readDetail(entry, ids) ?? []);
    const hasText = details.some(({ text }) => text !== "");
    const slot = REASONING_SLOTS.find((name) => {
      const text = fields.peek(name);
      return typeof text === "string" && text !== "";
    });
    if (!hasText && slot !== undefined) {
      this.#reason(slot, { k: "reasoning", text: fields.text(slot)! }, slot);
    }
    for (const detail of details) this.#readDetail(detail);
  }

  #readDetail(detail: Detail): void {
    const { kind, text, signature, sealed, key } = detail;
    if (detail.carries !== undefined) {
      if (signature !== undefined) this.#whole(grown({ type: "reasoning" }, detail));
      return;
    }
    if (text !== "") {
      const said: Delta =
        kind === "summary" ? { k: "summary", part: 0, text } : { k: "reasoning", text };
      this.#reason(key, said, undefined, detail.id);
    }
    if (signature !== undefined) this.#prove({ k: "signature", signed: signature }, detail);
    if (sealed !== undefined) this.#prove({ k: "sealed", signed: sealed }, detail);
  }

  /** A proof alone belongs to the reasoning that is open; a seal only to its own. */
  #prove(delta: Delta, { key, id }: Detail): void {
    const flow = this.#flow;
    const isOpen = flow?.kind === "reasoning" && (delta.k === "signature" || flow.key === key);
    this.#reason(isOpen ? flow.key : key, delta, undefined, id);
  }

  #whole(block: ReasoningBlock): void {
    this.#close();
    const place = { c: this.#c, b: this.#next++ };
    this.#emit({ t: "block_start", ...place, block });
    this.#emit({ t: "block_stop", ...place });
  }

  #reason(key: string, d: Delta, slot?: string, id?: string): void {
    if (this.#flow?.kind !== "reasoning" || this.#flow.key !== key) {
      const block: ReasoningBlock = { type: "reasoning", id };
      this.#open("reasoning", spelled(block, { slot }), key);
    }
    this.#emit({ t: "delta", c: this.#c, b: this.#flow!.b, d });
  }

  #say(kind: "text" | "refusal", d: Delta): void {
    if (this.#flow?.kind !== kind) this.#open(kind, { type: kind, text: "" });
    this.#emit({ t: "delta", c: this.#c, b: this.#flow!.b, d });
  }

  #open(kind: FlowKind, block: Extract<IrEvent, { t: "block_start" }>["block"], key = ""): void {
    this.#close();
    const b = this.#next++;
    this.#flow = { b, kind, key };
    this.#lastOf.set(kind, b);
    this.#emit({ t: "block_start", c: this.#c, b, block });
  }

  #close(): void {
    if (this.#flow === undefined) return;
    this.#emit({ t: "block_stop", c: this.#c, b: this.#flow.b });
    this.#flow = undefined;
  }

  /** Citations come before, amid or behind the text they are of. */
  #readAnnotations(list: Json | undefined): void {
    const citations = isList(list) ? readAnnotations(list) : undefined;
    for (const citation of citations ?? []) this.#say("text", { k: "citation", citation });
  }

  #readLogprobs(given: Json | undefined): void {
    if (!isObject(given)) return;
    for (const [member, kind] of LOGPROB_PLACES) {
      const tokens = readTokens(given[member]);
      const isOpen = this.#flow?.kind === kind;
      if (tokens === undefined || tokens.length === 0 || !isOpen) continue;
      this.#emit({ t: "delta", c: this.#c, b: this.#flow!.b, d: { k: "logprobs", tokens } });
    }
  }

  #readAudio(given: Json | undefined): void {
    if (!isObject(given)) return;
    const { id, data, transcript } = given;
    if (this.#audio === undefined) {
      this.#close();
      this.#audio = this.#next++;
      const source = { kind: "base64", data: "" } as const;
      const audio = { type: "media", kind: "audio", source } as const;
      const block = { ...audio, id: typeof id === "string" ? id : undefined };
      this.#emit({ t: "block_start", c: this.#c, b: this.#audio, block });
    }
    const d: Delta = {
      k: "audio",
      data: typeof data === "string" ? data : undefined,
      transcript: typeof transcript === "string" ? transcript : undefined,
    };
    if (d.data === undefined && d.transcript === undefined) return;
    this.#emit({ t: "delta", c: this.#c, b: this.#audio, d });
  }
}
