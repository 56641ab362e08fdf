import type { DialectId } from "../../core/ids.ts";
import type { IrAnswer } from "../ir/answer.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json } from "../ir/json.ts";
import type { LossCode, Report } from "../ir/loss.ts";
import type { Node } from "../ir/node.ts";
import type { Pass } from "./pass.ts";

/**
 * Words of an answer that only its own wire has and that tell something of it: Perplexity's sources
 * beside the choices, the proofs of Google's models on OpenAI's wire, what Gemini searched. What
 * else readers leave in `ext` is about the vendor's own business: protocols.md 8.
 */
const WORDS: { readonly [D in DialectId]?: ReadonlyMap<string, Word> } = {
  openai: new Map([
    ["citations", { code: "L-CITE" }],
    ["search_results", { code: "L-CITE" }],
    ["thought_signature", { code: "L-REASONING-FOREIGN" }],
  ]),
  gemini: new Map<string, Word>([
    ["urlContextMetadata", { code: "L-CITE" }],
    ["searchEntryPoint", { code: "L-CITE" }],
    ["webSearchQueries", { code: "L-CITE" }],
    ["groundingSupports", { code: "L-CITE", isLost: isUnread }],
  ]),
};
interface Word {
  readonly code: LossCode;
  /** Where the reader makes something of the word: whether it could not. */
  readonly isLost?: (value: Json) => boolean;
}
/** As deep as `choices[0].message.extra_content.google.thought_signature`. */
const DEPTH_MAX = 6;

export interface AnswerWords {
  readonly upstream: DialectId;
  readonly report: Report;
}

/** Reports what of a whole answer only its own wire could have told. */
export function reportWords(answer: IrAnswer, words: AnswerWords): void {
  const finder = finderOf(words);
  finder?.look(answer);
  for (const candidate of answer.candidates) {
    finder?.look(candidate);
    for (const block of candidate.blocks) finder?.look(block);
  }
}

/** The same of a stream, which passes unchanged; undefined where there is nothing to look for. */
export function wordPass(words: AnswerWords): Pass | undefined {
  const finder = finderOf(words);
  return (
    finder && {
      feed(event) {
        finder.look(event);
        if (event.t === "block_start") finder.look(event.block);
        return [event];
      },
      end: () => [],
    }
  );
}

function finderOf({ upstream, report }: AnswerWords): WordFinder | undefined {
  const words = WORDS[upstream];
  return words && new WordFinder(upstream, { words, report });
}

/** Reports each word once: one place tells of it. */
class WordFinder {
  readonly #upstream: DialectId;
  readonly #left: Map<string, Word>;
  readonly #report: Report;

  constructor(
    upstream: DialectId,
    { words, report }: { readonly words: ReadonlyMap<string, Word>; readonly report: Report },
  ) {
    this.#upstream = upstream;
    this.#left = new Map(words);
    this.#report = report;
  }

  look({ ext }: Pick<Node, "ext">): void {
    const own = ext?.[this.#upstream];
    if (own !== undefined && this.#left.size > 0) this.#search(own, 0);
  }

  #search(value: Json, depth: number): void {
    if (depth > DEPTH_MAX) return;
    if (isList(value)) {
      for (const each of value) this.#search(each, depth + 1);
    } else if (isObject(value)) {
      for (const name in value) this.#weigh(name, value[name]!, depth);
    }
  }

  #weigh(name: string, value: Json, depth: number): void {
    const word = this.#left.get(name);
    const isLost = word !== undefined && !isEmpty(value) && (word.isLost?.(value) ?? true);
    if (!isLost) return this.#search(value, depth + 1);
    this.#left.delete(name);
    this.#report({ code: word.code, path: name, action: "dropped" });
  }
}

/** A stretch of the answer that is supported by nothing one could name. */
function isUnread(supports: Json): boolean {
  const isNamed = (support: Json): boolean =>
    isObject(support) && isList(support["groundingChunkIndices"]);
  return isList(supports) && !supports.every(isNamed);
}

function isEmpty(value: Json): boolean {
  return value === null || value === "" || (isList(value) && value.length === 0);
}
