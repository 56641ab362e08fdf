import type { Citation } from "../ir/block.ts";
import type { CitingText } from "./write-citations.ts";

/** Text beyond which it is not kept: places of citations in it cannot be told then. */
const KEPT_LENGTH_MAX = 4 << 20;

/** The text of a streamed answer so far, kept for the byte offsets of what is cited late. */
export class CitedTexts {
  readonly #texts = new Map<number, { text: string; readonly citations: Citation[] }>();
  #length = 0;

  addText(b: number, text: string): void {
    this.#length += text.length;
    if (this.#length > KEPT_LENGTH_MAX) this.#texts.clear();
    else this.#of(b).text += text;
  }

  addCitations(b: number, citations: readonly Citation[]): void {
    this.#of(b).citations.push(...citations);
  }

  /** In the order of their first appearance, which is that of the answer. */
  all(path: string): readonly CitingText[] {
    return [...this.#texts].map(([b, each]) => ({ ...each, path: `${path}[${b}]` }));
  }

  #of(b: number): { text: string; readonly citations: Citation[] } {
    let known = this.#texts.get(b);
    if (known === undefined) this.#texts.set(b, (known = { text: "", citations: [] }));
    return known;
  }
}
