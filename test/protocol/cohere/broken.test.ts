import { describe, expect, test } from "bun:test";
import { heartbeat, writeStreamError } from "../../../src/protocol/cohere/broken.ts";
import { streamTap } from "../../../src/protocol/cohere/tap.ts";
import type { BrokenStream } from "../../../src/protocol/dialect.ts";
import { parseSse } from "../../../src/wire/sse.ts";
import { streamed, streamedAndReset } from "./sdk.ts";

const BROKEN: BrokenStream = {
  mode: "surface",
  why: "truncated",
  requestId: "req_1",
  atBoundary: true,
  id: "5f0b2a9e-0000-4000-8000-000000000000",
  model: undefined,
};
const written = (change: Partial<BrokenStream> = {}) =>
  new TextDecoder().decode(writeStreamError({ ...BROKEN, ...change }));
const text = (content: string) =>
  `event: content-delta\ndata: ${JSON.stringify({ type: "content-delta", index: 0, delta: { message: { content: { text: content } } } })}\n\n`;
const WHYS = ["truncated", "timeout", "shutdown", "bug"] as const;

describe("a stream that broke ends", () => {
  test.each(WHYS)("with one event that is an error, and without its mark: %s", (why) => {
    const [end, ...more] = parseSse(new TextEncoder().encode(written({ why })));
    expect(end!.event).toBe("message-end");
    expect(JSON.parse(end!.data)).toEqual({
      id: BROKEN.id,
      type: "message-end",
      delta: { finish_reason: "ERROR", error: "The response stream was interrupted." },
    });
    expect(more).toEqual([]);
  });
  test("with its mark where nobody is to notice", () =>
    expect(written({ mode: "graceful" })).toBe(`${written()}data: [DONE]\n\n`));
  test("with the request's id where it had none of its own", () =>
    expect(written({ id: undefined })).toContain('"id":"req_1"'));
  test("behind a partial event, which is closed first", () =>
    expect(written({ atBoundary: false })).toBe(`\n\n${written()}`));
  test("saying nothing of what stands behind us: features.md b-R44", () => {
    for (const why of WHYS) {
      const [, message] = /"error":"([^"]*)"/.exec(written({ why }))!;
      expect(message).not.toMatch(/url|connect|upstream|proxy|gateway|backend|lane|translate/i);
    }
  });
});

test("another gateway of this kind behind us finds the fault in either form", () => {
  for (const mode of ["surface", "graceful"] as const) {
    const tap = streamTap();
    tap.feed(new TextEncoder().encode(text("a")));
    tap.feed(writeStreamError({ ...BROKEN, mode }));
    expect(tap.fault?.kind).toBe("server_error");
  }
});

test("a heartbeat is no event", async () => {
  expect(parseSse(heartbeat)).toEqual([]);
  const { values, error } = await streamed(new TextDecoder().decode(heartbeat) + text("a"));
  expect([values.length, error]).toEqual([1, undefined]);
});

describe("the official SDK", () => {
  test("sees the error event, and throws only when the connection is reset", async () => {
    const quiet = await streamed(text("a") + written());
    expect(quiet.error).toBeUndefined();
    expect(quiet.values.at(-1)).toMatchObject({
      type: "message-end",
      delta: { finishReason: "ERROR", error: "The response stream was interrupted." },
    });
    const reset = await streamedAndReset(text("a") + written());
    expect(reset.error).toBeDefined();
    expect(reset.values.at(-1)).toMatchObject({ type: "message-end" });
  });
  test("gives out no half of an event that was cut", async () => {
    const second = text("bcd");
    for (const at of [1, 10, 25, 40, second.length - 6]) {
      const body = text("a") + second.slice(0, at) + written({ atBoundary: false });
      const { values, error } = await streamed(body);
      const texts = values.filter(({ type }) => type === "content-delta");
      expect(texts).toHaveLength(1);
      expect(error !== undefined || values.at(-1)?.type === "message-end").toBe(true);
    }
  });
});
