import { describe, expect, test } from "bun:test";
import { heartbeat, writeStreamError } from "../../../src/protocol/anthropic/broken.ts";
import { streamTap } from "../../../src/protocol/anthropic/tap.ts";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import { CLIENTS } from "./clients.ts";
import { eventsOf, textOf, utf8 } from "./pieces.ts";

const BROKEN: BrokenStream = {
  mode: "surface",
  why: "truncated",
  requestId: "req_1",
  atBoundary: true,
  id: "msg_7",
  model: "m-1",
};
const MODES = ["surface", "graceful"] as const;
const REASONS = ["truncated", "timeout", "shutdown", "bug"] as const;
const frame = (data: { readonly type: string }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const message = {
  id: "msg_7",
  type: "message",
  role: "assistant",
  model: "m",
  content: [],
  usage: { input_tokens: 1, output_tokens: 1 },
};
const BEGUN =
  frame({ type: "message_start", message } as { type: string }) +
  frame({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } } as {
    type: string;
  });
const DELTA = frame({
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text: "héllo" },
} as { type: string });

test.each(REASONS)("is one error event in every mode: %s", (why) => {
  for (const mode of MODES) {
    expect(eventsOf(writeStreamError({ ...BROKEN, mode, why }))).toEqual([
      {
        event: "error",
        data: {
          type: "error",
          error: {
            details: { error_code: expect.stringMatching(/^stream_/) },
            type: why === "timeout" ? "timeout_error" : "api_error",
            message: "The response stream was interrupted.",
          },
          request_id: "req_1",
        },
      },
    ]);
  }
});

for (const client of CLIENTS) {
  describe(client.name, () => {
    test("throws its own error wherever the stream was cut", async () => {
      const whole = utf8(BEGUN + DELTA);
      for (let at = 1; at <= whole.length; at++) {
        const cut = whole.slice(0, at);
        const tap = streamTap();
        tap.feed(cut);
        const end = writeStreamError({ ...BROKEN, atBoundary: tap.atBoundary });
        const { error } = await client.stream(new Uint8Array(Buffer.concat([cut, end])));
        expect(error).toBeInstanceOf(client.errors["APIError"] as new () => Error);
        expect(String(error)).toContain("interrupted");
      }
    });
    test("steps over a heartbeat between any two events", async () => {
      const stop = frame({ type: "message_stop" });
      const beat = textOf(heartbeat);
      const { message: plain } = await client.stream(utf8(BEGUN + DELTA + stop));
      const beaten = utf8(beat + BEGUN + beat + beat + DELTA + beat + stop);
      expect((await client.stream(beaten)).message).toEqual(plain!);
    });
  });
}

test("a tap sees the error it ends with as an error", () => {
  const tap = streamTap();
  tap.feed(utf8(BEGUN));
  tap.feed(writeStreamError(BROKEN));
  tap.end();
  expect(tap).toMatchObject({ complete: false, fault: { kind: "server_error" } });
});
test("no form says anything of what stands behind us: features.md b-R44", () => {
  const words = /url|connect|upstream|proxy|gateway|backend|lane|translate/i;
  for (const mode of MODES) {
    for (const why of REASONS) {
      expect(textOf(writeStreamError({ ...BROKEN, mode, why }))).not.toMatch(words);
    }
  }
});
