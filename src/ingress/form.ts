import type { DialectId } from "../core/ids.ts";
import { Rejection } from "../core/rejection.ts";
import type { CallHead, Span } from "../core/request.ts";
import type { Chunk } from "../core/units.ts";
import type { EnvelopeRead } from "../protocol/dialect.ts";
import { checkModel } from "../protocol/envelope-fields.ts";

export interface FormOptions {
  readonly head: CallHead;
  readonly type: string;
  readonly dialect: DialectId;
}

const utf8 = new TextDecoder();
const BLANK_LINE = Buffer.from("\r\n\r\n");
const MODEL_FIELD = /^content-disposition:\s*form-data;(?:.*;)?\s*name="?model"?\s*(?:;|$)/im;
/** A field's head is a line or two; a longer one is a file's, or nonsense. */
const HEAD_BYTES_MAX = 1024;

/** Reads `model` out of a form (RFC 7578), as uploads of sound and pictures come; nothing else. */
export function readForm(
  body: Chunk,
  { head, type, dialect }: FormOptions,
): EnvelopeRead | Rejection {
  const boundary = /boundary="?([^\s";,]{1,70})"?/i.exec(type)?.[1];
  if (boundary === undefined) {
    return malformed(undefined, "the form names no boundary: let the HTTP library write the type");
  }
  const spans = modelSpans(body, Buffer.from(`--${boundary}`));
  const [span] = spans;
  if (span === undefined) return malformed("model", "the form has no field 'model': add it");
  if (spans.length > 1) return malformed("model", "the form has 'model' twice: send it once");
  const model = utf8.decode(body.subarray(span.start, span.end));
  const bad = checkModel(model);
  if (bad !== undefined) return bad;
  const envelope = {
    ...{ dialect, operation: head.operation, model, modelSpan: span, stream: false },
    includeUsage: false,
    streamOptionsSpan: undefined,
    outputTokensMax: undefined,
    bodyBytes: body.length,
    head,
  };
  return { envelope, privacyMark: undefined };
}

function modelSpans(body: Chunk, delimiter: Buffer): Span[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const spans: Span[] = [];
  let at = bytes.indexOf(delimiter);
  while (at !== -1) {
    const from = at + delimiter.length;
    const next = bytes.indexOf(delimiter, from);
    const end = next === -1 ? bytes.length : next;
    const blank = bytes.indexOf(BLANK_LINE, from);
    if (blank !== -1 && blank < end && blank - from < HEAD_BYTES_MAX) {
      const isModel = MODEL_FIELD.test(bytes.toString("latin1", from, blank).trim());
      const start = blank + BLANK_LINE.length;
      if (isModel) spans.push({ start, end: Math.max(start, end - 2) }); // CRLF ends the value.
    }
    at = next;
  }
  return spans;
}

function malformed(param: string | undefined, detail: string): Rejection {
  return new Rejection({ kind: "malformed", param, detail });
}
