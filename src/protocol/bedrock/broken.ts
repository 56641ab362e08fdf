import type { Chunk } from "../../core/units.ts";
import { wordsOfBreak } from "../break-words.ts";
import type { BrokenStream } from "../dialect.ts";
import type { ErrorClass, WireError } from "../wire-error.ts";
import { eventFrame, exceptionFrame } from "./frames.ts";
import { messageOf } from "./rejection.ts";

/** There is none: boto3 hands an event of a type it does not know to its caller. */
export const heartbeat: Chunk = new Uint8Array(0);

/**
 * The in-band end of a stream that broke. `surface` is the exception frame every AWS SDK throws;
 * `graceful` is a stop none throws on. A message that was cut cannot be closed, for its length is
 * said: whatever follows breaks its checksum, and the SDKs throw on that, too.
 */
export function writeStreamError({ mode, why, atBoundary }: BrokenStream): Chunk {
  if (mode === "surface" || !atBoundary)
    return exceptionFrame(EXCEPTIONS[why], { message: wordsOfBreak(why).coded });
  return eventFrame("messageStop", { stopReason: "malformed_model_output" });
}

/** An upstream's error as an exception frame. */
export function writeStreamFault(error: WireError): Chunk {
  return exceptionFrame(STREAM_EXCEPTION_OF_CLASS[error.class], { message: messageOf(error) });
}

const EXCEPTIONS: Readonly<Record<BrokenStream["why"], string>> = {
  truncated: "modelStreamErrorException",
  timeout: "modelStreamErrorException",
  shutdown: "serviceUnavailableException",
  bug: "internalServerException",
  budget_exceeded: "throttlingException",
  key_revoked: "validationException", // The one of the five that no SDK tries again.
};

/** A stream of Converse knows five exceptions; what it has none for is the server's. */
const STREAM_EXCEPTION_OF_CLASS: Readonly<Record<ErrorClass, string>> = {
  invalid_request: "validationException",
  context_length: "validationException",
  request_too_large: "validationException",
  unsupported: "validationException",
  not_found: "validationException",
  model_not_found: "validationException",
  content_filter: "validationException",
  conflict: "validationException",
  cancelled: "validationException",
  rate_limit: "throttlingException",
  quota: "throttlingException",
  overloaded: "serviceUnavailableException",
  server: "internalServerException",
  auth: "internalServerException",
  permission: "internalServerException",
  bad_upstream: "modelStreamErrorException",
  timeout: "modelStreamErrorException",
};
