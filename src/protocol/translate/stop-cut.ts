import type { Candidate, IrAnswer, Stop } from "../ir/answer.ts";
import type { Citation, TextBlock, TokenLogprob } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import type { Pass } from "./pass.ts";
import { type StopNode, type StopWords, stepWords, stopWords } from "./stop-words.ts";

/** A pass that ends answers at a stop string, for a target that cannot: protocols.md 3.1. */
export interface StopCut extends Pass {
  /** Every candidate seen so far was cut: whatever becomes of the source, the answer is whole. */
  readonly isWhole: boolean;
}

interface Cut {
  /** Where the text ends, in UTF-16 units. */
  readonly at: number;
  readonly word: string;
}

/** A whole answer as if its model had stopped at the first of `words`. */
export function cutAnswer(answer: IrAnswer, words: readonly string[]): IrAnswer {
  if (words.length === 0) return answer;
  const search = stopWords(words);
  return { ...answer, candidates: answer.candidates.map((each) => cutCandidate(each, search)) };
}

function cutCandidate(candidate: Candidate, words: StopWords): Candidate {
  for (const [index, block] of candidate.blocks.entries()) {
    const cut = block.type === "text" ? firstWord(block.text, words) : undefined;
    if (cut === undefined || block.type !== "text") continue;
    const blocks = [...candidate.blocks.slice(0, index), shortened(block, cut.at)];
    return { ...candidate, blocks, stop: stopAt(cut.word) };
  }
  return candidate;
}

/** The word that ends first; of those that end together, the longest. */
function firstWord(text: string, words: StopWords): Cut | undefined {
  let node: StopNode = words.root;
  for (let index = 0; index < text.length; index++) {
    node = stepWords(words, node, text.charCodeAt(index));
    if (node.word !== undefined) return { at: index + 1 - node.word.length, word: node.word };
  }
  return undefined;
}

function shortened(block: TextBlock, at: number): TextBlock {
  const text = block.text.slice(0, at);
  return {
    ...block,
    text,
    citations: block.citations?.filter((each) => isWithin(each, text)),
    logprobs: block.logprobs === undefined ? undefined : tokensOf(block.logprobs, text),
  };
}

/** Spans of the whole message are kept: what stands before this block is not known here. */
function isWithin({ span }: Citation, text: string): boolean {
  return span === undefined || span.of === "message" || span.end <= [...text].length;
}

function tokensOf(tokens: readonly TokenLogprob[], text: string): readonly TokenLogprob[] {
  let length = 0;
  return tokens.filter(({ token }) => (length += token.length) <= text.length);
}

function stopAt(sequence: string): Stop {
  return { kind: "stop_sequence", sequence };
}

/** The same for a stream: holds back what may yet turn out to begin a stop string. */
export function stopCut(words: readonly string[]): StopCut {
  return new Cutter(stopWords(words));
}

type At<T extends IrEvent["t"]> = Extract<IrEvent, { t: T }>;

interface Text {
  readonly b: number;
  node: StopNode;
  held: string;
}
interface Cutting {
  readonly c: number;
  readonly open: Set<number>;
  readonly texts: Map<number, Text>;
  isCut: boolean;
}

class Cutter implements StopCut {
  readonly #words: StopWords;
  readonly #candidates = new Map<number, Cutting>();

  constructor(words: StopWords) {
    this.#words = words;
  }

  get isWhole(): boolean {
    const all = [...this.#candidates.values()];
    return all.length > 0 && all.every(({ isCut }) => isCut);
  }

  feed(event: IrEvent): readonly IrEvent[] {
    switch (event.t) {
      case "block_start":
        return this.#start(event, this.#of(event.c));
      case "delta":
        return this.#grow(event, this.#of(event.c));
      case "block_stop":
        return this.#stop(event, this.#of(event.c));
      case "stop": {
        const candidate = this.#of(event.c);
        return candidate.isCut ? [] : [...flushed(candidate), event];
      }
      case "end":
        return [...this.end(), event];
      case "error":
        // The caller's answer ended before: what went wrong behind it is none of its business.
        return this.isWhole ? [{ t: "end" }] : [...this.end(), event];
      case "raw":
        return this.isWhole ? [] : [event];
      case "start":
      case "usage":
      case "meta":
      case "ping":
        return [event];
    }
  }

  end(): readonly IrEvent[] {
    return [...this.#candidates.values()].flatMap(flushed);
  }

  #of(c: number): Cutting {
    let candidate = this.#candidates.get(c);
    if (candidate === undefined) {
      candidate = { c, open: new Set(), texts: new Map(), isCut: false };
      this.#candidates.set(c, candidate);
    }
    return candidate;
  }

  #start(event: At<"block_start">, candidate: Cutting): readonly IrEvent[] {
    if (candidate.isCut) return [];
    const { b, block } = event;
    candidate.open.add(b);
    if (block.type !== "text") return [event];
    const text: Text = { b, node: this.#words.root, held: "" };
    candidate.texts.set(b, text);
    if (block.text === "") return [event];
    return [{ ...event, block: { ...block, text: "" } }, ...this.#search(candidate, text, block)];
  }

  #grow(event: At<"delta">, candidate: Cutting): readonly IrEvent[] {
    if (candidate.isCut) return [];
    const text = candidate.texts.get(event.b);
    return text === undefined || event.d.k !== "text"
      ? [event]
      : this.#search(candidate, text, event.d);
  }

  #stop(event: At<"block_stop">, candidate: Cutting): readonly IrEvent[] {
    if (candidate.isCut) return [];
    const text = candidate.texts.get(event.b);
    candidate.open.delete(event.b);
    candidate.texts.delete(event.b);
    return text === undefined ? [event] : [...released(candidate.c, text), event];
  }

  #search(
    candidate: Cutting,
    text: Text,
    { text: more }: { readonly text: string },
  ): readonly IrEvent[] {
    const all = text.held + more;
    for (let index = 0; index < more.length; index++) {
      text.node = stepWords(this.#words, text.node, more.charCodeAt(index));
      const { word } = text.node;
      if (word === undefined) continue;
      text.held = all.slice(0, text.held.length + index + 1 - word.length);
      return [...released(candidate.c, text), ...this.#cut(candidate, word)];
    }
    const free = all.length - text.node.depth;
    text.held = all.slice(free);
    return free === 0 ? [] : [delta(candidate.c, text.b, all.slice(0, free))];
  }

  /** Every open block is closed: nothing of this candidate follows. */
  #cut(candidate: Cutting, word: string): readonly IrEvent[] {
    const { c } = candidate;
    const stops = [...candidate.open].map((b): IrEvent => ({ t: "block_stop", c, b }));
    candidate.isCut = true;
    candidate.open.clear();
    candidate.texts.clear();
    return [...stops, { t: "stop", c, stop: stopAt(word) }];
  }
}

function flushed({ c, texts }: Cutting): readonly IrEvent[] {
  return [...texts.values()].flatMap((text) => released(c, text));
}

function released(c: number, text: Text): readonly IrEvent[] {
  const { b, held } = text;
  text.held = "";
  return held === "" ? [] : [delta(c, b, held)];
}

function delta(c: number, b: number, text: string): IrEvent {
  return { t: "delta", c, b, d: { k: "text", text } };
}
