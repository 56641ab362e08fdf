import { describe, expect, test } from "bun:test";
import {
  heartbeat,
  writeStreamError,
  writeStreamFault,
} from "../../../src/protocol/bedrock/broken.ts";
import { eventFrame } from "../../../src/protocol/bedrock/frames.ts";
import { streamTap } from "../../../src/protocol/bedrock/tap.ts";
import { wordsOfBreak } from "../../../src/protocol/break-words.ts";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import type { ErrorClass } from "../../../src/protocol/wire-error.ts";
import { framesOf } from "./pieces.ts";
import { converseStream, invokeStream, streamed, thrownBy } from "./sdk.ts";

const broken = (rest: Partial<BrokenStream> = {}): BrokenStream => ({
  mode: "surface",
  why: "truncated",
  requestId: "req-7",
  atBoundary: true,
  id: undefined,
  model: undefined,
  ...rest,
});
const begun = [
  eventFrame("messageStart", { role: "assistant" }),
  eventFrame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "hi" } }),
];
const CLASSES: Readonly<Record<BrokenStream["why"], string>> = {
  truncated: "ModelStreamErrorException",
  timeout: "ModelStreamErrorException",
  shutdown: "ServiceUnavailableException",
  bug: "InternalServerException",
  budget_exceeded: "ThrottlingException",
  key_revoked: "ValidationException",
};

describe("a stream that broke", () => {
  for (const [why, name] of Object.entries(CLASSES)) {
    test(`by ${why} makes the SDK throw ${name}, of Converse and of an invoked model`, async () => {
      const end = writeStreamError(broken({ why: why as BrokenStream["why"] }));
      for (const call of [converseStream, invokeStream]) {
        const seen = await thrownBy(call(streamed(...begun, end)));
        expect(seen).toMatchObject({ name, class: name });
        expect(seen?.message).toBe(wordsOfBreak(why as BrokenStream["why"]).coded);
      }
    });
  }

  test("in the middle of a message makes the SDK throw, wherever it was cut", async () => {
    const message = begun[1]!;
    for (const end of [1, 4, 11, 12, 13, 40, message.length - 1]) {
      for (const mode of ["surface", "graceful"] as const) {
        const rest = writeStreamError(broken({ mode, atBoundary: false }));
        const seen = await thrownBy(
          converseStream(streamed(begun[0]!, message.slice(0, end), rest)),
        );
        expect([end, mode, seen?.message]).toEqual([end, mode, expect.any(String)]);
      }
    }
  });

  test("and is to end gracefully ends with a stop no SDK throws on", async () => {
    const end = writeStreamError(broken({ mode: "graceful" }));
    const events = await converseStream(streamed(...begun, end));
    expect(events.at(-1)).toEqual({ messageStop: { stopReason: "malformed_model_output" } });
  });

  test("in the middle of a message is never a stop, for nothing of it would be seen", () => {
    const rest = writeStreamError(broken({ mode: "graceful", atBoundary: false }));
    expect(framesOf(rest)).toMatchObject([{ kind: "exception" }]);
  });

  test("says nothing of what stands behind us", () => {
    const said = framesOf(writeStreamError(broken()));
    expect(said).toEqual([
      {
        kind: "exception",
        name: "modelStreamErrorException",
        payload: { message: "The response stream was interrupted." },
      },
    ]);
  });

  test("is a fault to a tap", () => {
    const tap = streamTap();
    for (const chunk of [...begun, writeStreamError(broken())]) tap.feed(chunk);
    expect(tap.fault).toEqual({ kind: "server_error" });
  });
});

describe("an upstream's error in a stream", () => {
  const KINDS: Readonly<Record<ErrorClass, string>> = {
    invalid_request: "ValidationException",
    context_length: "ValidationException",
    request_too_large: "ValidationException",
    unsupported: "ValidationException",
    not_found: "ValidationException",
    model_not_found: "ValidationException",
    content_filter: "ValidationException",
    conflict: "ValidationException",
    cancelled: "ValidationException",
    rate_limit: "ThrottlingException",
    quota: "ThrottlingException",
    overloaded: "ServiceUnavailableException",
    server: "InternalServerException",
    auth: "InternalServerException",
    permission: "InternalServerException",
    bad_upstream: "ModelStreamErrorException",
    timeout: "ModelStreamErrorException",
  };
  for (const [kind, name] of Object.entries(KINDS)) {
    test(`of ${kind} is thrown as ${name}`, async () => {
      const error = { class: kind as ErrorClass, status: 400, message: "Why." };
      const seen = await thrownBy(converseStream(streamed(...begun, writeStreamFault(error))));
      expect(seen).toMatchObject({ name, class: name });
    });
  }
});

test("there is no keep-alive", () => {
  expect(heartbeat).toHaveLength(0);
});
