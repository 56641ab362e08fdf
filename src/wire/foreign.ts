/** An object somebody else wrote: a member may be missing, or of another type. */
export interface Foreign {
  readonly [name: string]: unknown;
}

/** Keeps a BOM, which is not JSON, and puts U+FFFD for what is not UTF-8. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** JSON somebody else wrote; undefined when it is none. */
export function parseForeign(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined; // Whether it parses is the question; why it does not is of no use to anyone.
  }
}

/** The value as an object; undefined when it is none. */
export function foreignObject(value: unknown): Foreign | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Foreign)
    : undefined;
}

/** The value as a text with something in it; undefined when it is none. */
export function foreignText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value as a list; empty when it is none. */
export function foreignList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
