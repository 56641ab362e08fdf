const inspect = Symbol.for("nodejs.util.inspect.custom");

/** A string that will not print. `expose()` is the only way to it: grep for that to audit use. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }
  expose(): string {
    return this.#text;
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): string {
    return "[secret]";
  }
  [inspect](): string {
    return "[secret]";
  }
}
