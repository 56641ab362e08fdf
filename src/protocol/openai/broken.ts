import type { Chunk } from "../../core/units.ts";
import { isStopped, wordsOfBreak } from "../break-words.ts";
import type { BrokenStream } from "../dialect.ts";
import { typeOf } from "./rejection.ts";

/** A comment is no event: every SSE client steps over it. */
export const heartbeat: Chunk = new TextEncoder().encode(": keep-alive\n\n");

const utf8 = new TextEncoder();

/**
 * The in-band end of a stream that broke. `surface` is the error frame every OpenAI SDK throws on,
 * without `[DONE]`; `graceful` is a last chunk that no SDK throws on.
 */
export function writeStreamError(broken: BrokenStream): Chunk {
  const { requestId, why } = broken;
  const words = wordsOfBreak(why);
  const error = {
    message: words.message,
    type: isStopped(why) ? typeOf(words) : "upstream_error",
    param: null,
    code: words.code,
    request_id: requestId,
  };
  // A partial event becomes a whole one that does not parse: the SDK throws on that, too.
  const close = broken.atBoundary ? "" : "\n\n";
  switch (broken.mode) {
    case "surface":
      return utf8.encode(`${close}${dataFrame({ error })}`);
    case "graceful":
      return utf8.encode(`${close}${dataFrame(lastChunk(broken, error))}data: [DONE]\n\n`);
  }
}

/**
 * The SDKs throw on a top-level `error`, so it stands in the choice, as OpenRouter has it. There is
 * no clock here: `created` is 0, as in Azure's first chunk.
 */
function lastChunk({ id, model, requestId }: BrokenStream, error: object): object {
  return {
    id: id ?? `chatcmpl-${requestId}`,
    object: "chat.completion.chunk",
    created: 0,
    model: model ?? "",
    choices: [{ index: 0, delta: {}, finish_reason: "error", error }],
  };
}

function dataFrame(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
