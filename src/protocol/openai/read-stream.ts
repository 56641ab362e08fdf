import type { Chunk } from "../../core/units.ts";
import { parseJson } from "../../wire/exact-json.ts";
import { foreignObject } from "../../wire/foreign.ts";
import { frameText, type SseFrame } from "../../wire/sse-block.ts";
import { SseScanner } from "../../wire/sse.ts";
import type { StreamReader } from "../codec.ts";
import type { IrEvent, MetaPatch } from "../ir/event.ts";
import { compact, Fields, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { WireError } from "../wire-error.ts";
import { faultOfEvent } from "./fault.ts";
import { readIrUsage } from "./ir-usage.ts";
import { ChoiceReader } from "./read-choice.ts";
import { readStreamError } from "./read-error.ts";

const DONE = "[DONE]";
/** OpenAI allows 128 choices; a host that numbers them higher is not followed there. */
const CHOICES_MAX = 128;
/** Chunks without a name that are held back until one with a name begins the answer. */
const NAMELESS_MAX = 8;

/** Reads a stream of chat completion chunks. */
export function streamReader(): StreamReader {
  return new ChatReader();
}

/**
 * Every chunk becomes its events and a last `meta` that closes it, whose `ext` holds what of the
 * chunk is not in those events: by that the writer of this wire finds the chunk again.
 */
class ChatReader implements StreamReader {
  readonly #scanner = new SseScanner({ onFrame: (frame) => this.#read(frame) });
  readonly #choices = new Map<number, ChoiceReader>();
  #nameless: JsonObject[] = [];
  #events: IrEvent[] = [];
  #isStarted = false;
  #isOver = false;
  #tier: string | undefined;
  #fingerprint: string | undefined;

  feed(chunk: Chunk): readonly IrEvent[] {
    this.#scanner.feed(chunk);
    return this.#taken();
  }

  end(): readonly IrEvent[] {
    this.#scanner.end();
    if (!this.#isOver) this.#finish({ isDone: false });
    return this.#taken();
  }

  #taken(): readonly IrEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #emit(event: IrEvent): void {
    this.#events.push(event);
  }

  #read(frame: SseFrame): void {
    if (this.#isOver) return; // No client reads on behind the end, or behind an error.
    if (frame.oversize) return this.#fail(TOO_LARGE);
    const text = frameText(frame).trim();
    if (text === DONE) {
      this.#finish({ isDone: true });
      this.#emit({ t: "end" });
      this.#isOver = true;
      return;
    }
    const data = parseJson(frame.bytes.subarray(frame.start, frame.end)) as Json | undefined;
    if (frame.event === "error")
      return this.#fail(readStreamError(data ?? { message: text }), data);
    const isEmpty = text === "" || (!this.#isStarted && data !== undefined && !isObject(data));
    if (isEmpty) return this.#emit({ t: "ping" });
    if (data === undefined) return frame.terminated ? this.#fail(UNREADABLE) : undefined;
    if (!isObject(data)) return this.#emit({ t: "raw", from: "openai", data });
    const event = foreignObject(data);
    if (event !== undefined && faultOfEvent(event) !== undefined) {
      return this.#fail(readStreamError(data), data);
    }
    this.#readChunk(data);
  }

  #fail(error: WireError, data?: Json): void {
    if (this.#nameless.length > 0) this.#start(undefined);
    const ext = isObject(data) ? { openai: data } : undefined;
    this.#emit({ t: "error", error, ext });
    this.#isOver = true;
  }

  /** Azure's first chunk tells of filters only: it has neither id nor model. */
  #readChunk(chunk: JsonObject): void {
    const isNameless = (chunk["id"] ?? "") === "" && !hasItems(chunk["choices"]);
    if (!this.#isStarted && isNameless && this.#nameless.length < NAMELESS_MAX) {
      this.#nameless.push(chunk);
      return;
    }
    this.#start(chunk);
    this.#readOpen(chunk);
  }

  /** `start` is told once, with what the first named chunk says. */
  #start(chunk: JsonObject | undefined): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const fields = new Fields(chunk ?? {});
    const created = fields.number("created");
    this.#emit({
      t: "start",
      id: fields.text("id"),
      model: fields.text("model"),
      createdAt: created === 0 ? undefined : created,
      ext: { openai: {} },
    });
    for (const held of this.#nameless) this.#readOpen(held);
    this.#nameless = [];
  }

  #readOpen(chunk: JsonObject): void {
    const fields = new Fields(chunk);
    const choices = fields.peek("choices");
    const members: Record<string, Json> = {};
    if (isList(choices)) {
      fields.skip("choices");
      members["choices"] = choices.map((choice, position) => this.#readChoice(choice, position));
    }
    this.#readUsage(fields, choices);
    const patch = this.#patchOf(chunk);
    const rest = compact(members, fields.ext("openai")?.openai);
    this.#emit({ t: "meta", patch, ext: { openai: rest } });
  }

  /** What of a choice is not in its events. */
  #readChoice(choice: Json, position: number): Json {
    if (!isObject(choice)) return choice;
    const c = choiceIndex(choice, position);
    let reader = this.#choices.get(c);
    if (reader === undefined) {
      if (this.#choices.size >= CHOICES_MAX) return choice;
      reader = new ChoiceReader(c, (event) => this.#emit(event));
      this.#choices.set(c, reader);
    }
    return reader.read(choice);
  }

  /** Its own, or where Groq and Moonshot put theirs. */
  #readUsage(fields: Fields, choices: Json | undefined): void {
    const own = fields.object("usage");
    const groq = fields.peek("x_groq");
    const [first] = isList(choices) ? choices : [];
    const others = [groq, first].map((place) => (isObject(place) ? place["usage"] : undefined));
    const given = own ?? others.find((place) => isObject(place));
    if (isObject(given)) this.#emit({ t: "usage", usage: readIrUsage(given) });
  }

  /** Every chunk repeats them: they are told when they are new. */
  #patchOf(chunk: JsonObject): MetaPatch {
    const { service_tier: tier, system_fingerprint: fingerprint } = chunk;
    const patch: { tier?: string; fingerprint?: string } = {};
    if (typeof tier === "string" && tier !== this.#tier) this.#tier = patch.tier = tier;
    if (typeof fingerprint === "string" && fingerprint !== this.#fingerprint) {
      this.#fingerprint = patch.fingerprint = fingerprint;
    }
    return patch;
  }

  /** A choice is over when the stream is: hosts say it twice, or go on behind it. */
  #finish(how: { readonly isDone: boolean }): void {
    if (how.isDone || this.#nameless.length > 0) this.#start(undefined);
    const readers = [...this.#choices].sort(([one], [other]) => one - other);
    for (const [, reader] of readers) reader.finish(how);
  }
}

const TOO_LARGE: WireError = {
  class: "bad_upstream",
  status: 502,
  message: "An event of the answer is too large.",
  code: "upstream_protocol",
};
const UNREADABLE: WireError = {
  class: "bad_upstream",
  status: 502,
  message: "An event of the answer could not be read.",
  code: "upstream_protocol",
};

/** The number a choice goes by; its place in the list where it has none. */
export function choiceIndex(choice: JsonObject, position: number): number {
  const { index } = choice;
  const isIndex = typeof index === "number" && Number.isSafeInteger(index) && index >= 0;
  return isIndex ? index : position;
}

function hasItems(value: Json | undefined): boolean {
  return isList(value) && value.length > 0;
}
