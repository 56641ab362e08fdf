/** One answer as read off a socket, as far as it has come. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** The body without its framing, one character per byte. */
  readonly body: string;
  /** The framing says that this is all of it. */
  readonly whole: boolean;
  /** What stands behind a whole answer on the same connection. */
  readonly rest: string;
}

/** Reads the first answer in `text` (one character per byte); undefined before its head is whole. */
export function rawAnswer(text: string): RawAnswer | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const status = Number(statusLine.split(" ")[1]);
  const headers = new Map(lines.map((line) => headerOf(line)));
  const after = text.slice(headEnd + 4);
  if (headers.get("transfer-encoding") === "chunked") {
    return { status, headers, ...dechunked(after) };
  }
  const length = headers.get("content-length");
  if (length === undefined) return { status, headers, body: after, whole: false, rest: "" };
  const size = Number(length);
  const whole = after.length >= size;
  return { status, headers, body: after.slice(0, size), whole, rest: after.slice(size) };
}

/** The body of the first answer, as far as it has come. */
export function rawBody(text: string): string {
  return rawAnswer(text)?.body ?? "";
}

/** True once the first answer is there to its end. */
export function isWhole(text: string): boolean {
  return rawAnswer(text)?.whole === true;
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function dechunked(text: string): Pick<RawAnswer, "body" | "whole" | "rest"> {
  let body = "";
  for (let at = 0; ;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return { body, whole: false, rest: "" };
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const from = lineEnd + 2;
    if (size === 0) {
      const whole = text.startsWith("\r\n", from);
      return { body, whole, rest: whole ? text.slice(from + 2) : "" };
    }
    body += text.slice(from, from + size);
    if (text.length < from + size + 2) return { body, whole: false, rest: "" };
    at = from + size + 2;
  }
}
