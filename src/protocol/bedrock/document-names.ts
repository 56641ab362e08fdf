/** Bedrock's rule for `DocumentBlock.name`: letters, digits, single spaces, hyphens, brackets. */
const FORBIDDEN = /[^A-Za-z0-9\s\-()[\]]+/g;
const LENGTH_MAX = 200;
const UNNAMED = "document";

/** Gives the documents of one request names that Bedrock takes, each once. */
export class DocumentNames {
  readonly #given = new Set<string>();
  /** The number that was last put behind a name. */
  readonly #counts = new Map<string, number>();

  /** A name that Bedrock takes, as like the wanted one as can be. */
  fit(wanted: string | undefined): string {
    const plain = (wanted ?? "").replace(FORBIDDEN, "-").replace(/\s+/g, " ").trim();
    const base = plain.slice(0, LENGTH_MAX - 8).trim() || UNNAMED;
    let count = this.#counts.get(base) ?? 1;
    let name = base;
    while (this.#given.has(name)) name = `${base} (${++count})`;
    this.#counts.set(base, count);
    this.#given.add(name);
    return name;
  }
}
