import type { Chunk } from "../../core/units.ts";
import { isStopped, wordsOfBreak } from "../break-words.ts";
import type { BrokenStream } from "../dialect.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { frame, type FrameBody } from "./frame.ts";
import { mintResponseId } from "./ids.ts";
import { type ErrorObject, errorObject } from "./rejection.ts";

const utf8 = new TextEncoder();
/** A comment is no event: every SSE client steps over it. */
export const HEARTBEAT = ": keep-alive\n\n";
/** The same as bytes, to be put between two events. */
export const heartbeat: Chunk = utf8.encode(HEARTBEAT);

/**
 * The in-band end of a stream that broke. `surface` is the pair of frames that OpenAI sends: the
 * SDKs throw on `error` only, programs that read events look for `response.failed`. `graceful` is
 * an incomplete response, which no SDK throws on.
 */
export function writeStreamError(broken: BrokenStream): Chunk {
  // A partial event becomes a whole one that does not parse: the SDK throws on that, too.
  const close = broken.atBoundary ? "" : "\n\n";
  const response = responseOf(broken);
  // The tap counts no sequence numbers; the SDKs tolerate any.
  const frames = brokenFrames(broken, { response, sequence: 0 });
  return utf8.encode(close + frames);
}

/** Where a stream stood when it broke. */
export interface BrokenAt {
  /** The response so far, without its status and error. */
  readonly response: JsonObject;
  /** The next number. */
  readonly sequence: number;
}

/** The same, where the response so far is known. */
export function brokenFrames(broken: BrokenStream, at: BrokenAt): string {
  const { class: kind, status, code, message } = wordsOfBreak(broken.why);
  const stopped = isStopped(broken.why) ? errorObject({ class: kind, status, message }) : undefined;
  const type = stopped?.type ?? "upstream_error";
  const error: ErrorObject = { message, type, param: null, code };
  switch (broken.mode) {
    case "surface":
      return failedFrames(error, { ...at, requestId: broken.requestId });
    case "graceful":
      return frame("response.incomplete", {
        response: ended(at.response, "incomplete", error),
        sequence_number: at.sequence,
      });
  }
}

/**
 * `error` both flat, as the SDK's types have it, and nested, as OpenAI sends it and its Python SDK
 * needs it to throw; then the failed response. protocols.md 5.6.
 */
export function failedFrames(
  error: ErrorObject,
  at: BrokenAt & { readonly requestId?: string },
): string {
  const { code, message, param, type } = error;
  const nested: FrameBody = { type, code, message, param, request_id: at.requestId };
  const flat: FrameBody = { code, message, param, error: nested, sequence_number: at.sequence };
  return (
    frame("error", flat) +
    frame("response.failed", {
      response: ended(at.response, "failed", error),
      sequence_number: at.sequence + 1,
    })
  );
}

function ended(
  response: JsonObject,
  status: "failed" | "incomplete",
  { code, message }: ErrorObject,
): JsonObject {
  const known = code !== null && RESPONSE_CODES.has(code) ? code : "server_error";
  return { ...plain(response), status, error: { code: known, message } };
}

/** The codes an error of a response may have, of those that can come up here. */
const RESPONSE_CODES: ReadonlySet<string> = new Set(["rate_limit_exceeded", "invalid_prompt"]);

function plain(response: JsonObject): Record<string, Json> {
  const copy: Record<string, Json> = Object.create(null);
  for (const name of Object.keys(response)) copy[name] = response[name]!;
  return copy;
}

function responseOf({ id, model, requestId }: BrokenStream): JsonObject {
  return {
    id: id ?? mintResponseId(requestId),
    object: "response",
    created_at: 0, // There is no clock here.
    model: model ?? "",
    incomplete_details: null,
    output: [],
    usage: null,
  };
}
