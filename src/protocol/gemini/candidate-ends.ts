import { type Foreign, foreignList, foreignObject, foreignText } from "../../wire/foreign.ts";

/** The wire allows 8 candidates; a host that numbers them higher is not followed there. */
const CANDIDATES_MAX = 128;

/**
 * Which candidates have finished. There is no end marker: a stream is complete when each candidate
 * that was seen has a finish reason and nothing more came of it, or when the prompt was blocked.
 */
export class CandidateEnds {
  readonly #open = new Set<number>();
  readonly #closed = new Set<number>();
  #isBlocked = false;

  get isComplete(): boolean {
    return this.#open.size === 0 && (this.#closed.size > 0 || this.#isBlocked);
  }

  /** Whether a candidate finishes with the chunk. */
  learn(chunk: Foreign): boolean {
    let finishes = false;
    const feedback = foreignObject(chunk["promptFeedback"]);
    if (foreignText(feedback?.["blockReason"]) !== undefined) this.#isBlocked = true;
    for (const [place, value] of foreignList(chunk["candidates"]).entries()) {
      const candidate = foreignObject(value);
      if (candidate === undefined) continue;
      const index = candidateIndex(candidate, place);
      if (foreignText(candidate["finishReason"]) !== undefined) {
        this.#open.delete(index);
        this.#closed.add(index);
        finishes = true;
      } else if (!this.#closed.has(index) || hasParts(candidate)) {
        this.#closed.delete(index);
        this.#open.add(index);
      }
    }
    return finishes;
  }
}

/** A candidate's number: its own, or where it stands. */
export function candidateIndex(candidate: Foreign, place: number): number {
  const index = candidate["index"];
  const isIndex = typeof index === "number" && Number.isInteger(index);
  return isIndex && index >= 0 && index < CANDIDATES_MAX ? index : Math.min(place, CANDIDATES_MAX);
}

function hasParts(candidate: Foreign): boolean {
  return foreignList(foreignObject(candidate["content"])?.["parts"]).length > 0;
}
