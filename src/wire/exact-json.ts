/** What the library's types of `JSON` lack: TC39, "JSON.parse source text access". */
interface ExactJson {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
  parse(text: string, reviver: (name: string, value: unknown, at: Source) => unknown): unknown;
  parse(text: string): unknown;
  stringify(value: unknown): string;
}
interface Source {
  readonly source?: string;
}
const exact = JSON as unknown as ExactJson;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();

/** As many digits in a row as a double may not hold. */
const LONG_DIGITS = /\d{16}/;

/**
 * A document in which every number means what it said: one that a double cannot hold becomes a
 * `JSON.rawJSON` object, which `printJson` writes as it came. Undefined when it is not JSON.
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = utf8.decode(bytes);
    return LONG_DIGITS.test(text) ? exact.parse(text, keepExact) : exact.parse(text);
  } catch {
    return undefined; // Whether it parses is the question; why it does not is of no use to anyone.
  }
}

/** Half a surrogate pair comes out escaped, so it survives UTF-8. */
export function printJson(value: unknown): string {
  return exact.stringify(value);
}
export function printJsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(exact.stringify(value));
}

/** Whether a value is a number that `parseJson` kept as text. */
export function isRawNumber(value: unknown): boolean {
  return exact.isRawJSON(value);
}

function keepExact(_name: string, value: unknown, { source }: Source): unknown {
  if (typeof value !== "number" || source === undefined || !LONG_DIGITS.test(source)) return value;
  return String(value) === source ? value : exact.rawJSON(source);
}
