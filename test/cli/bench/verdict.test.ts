import { expect, test } from "bun:test";
import fc from "fast-check";
import { BARE_FRAMES, BUFFERED_ANSWER, STREAM_FRAMES } from "../../../src/cli/bench/payload.ts";
import { hasFirstEvent, judge } from "../../../src/cli/bench/verdict.ts";

const STREAM = STREAM_FRAMES.join("");
const buffered = (text: string) => judge("buffered", Buffer.from(text));
const streamed = (text: string) => judge("streamed", Buffer.from(text));

test("the bytes the mock sends are equal", () => {
  expect(buffered(BUFFERED_ANSWER)).toBe("equal");
  expect(streamed(STREAM)).toBe("equal");
});

test("a usage chunk nobody asked for is told apart, and one that is missing is wrong", () => {
  const bare = BARE_FRAMES.join("");
  expect(judge("bare", Buffer.from(bare))).toBe("equal");
  expect(judge("bare", Buffer.from(STREAM))).toBe("rewritten");
  expect(streamed(bare)).toBe("wrong");
});

test("an answer written anew by a gateway is right, and told apart", () => {
  const parsed: unknown = JSON.parse(BUFFERED_ANSWER);
  expect(buffered(JSON.stringify(parsed, null, 1))).toBe("rewritten");
  expect(buffered(BUFFERED_ANSWER.replace("chatcmpl-bench", "other"))).toBe("rewritten");
  expect(streamed(STREAM.replaceAll("\n\n", "\r\n\r\n"))).toBe("rewritten");
  expect(streamed(`: a comment\n\n${STREAM}`)).toBe("rewritten");
});

test("an answer cut anywhere is wrong", () => {
  const cut = (text: string) =>
    fc.integer({ min: 0, max: text.trimEnd().length - 1 }).map((end) => text.slice(0, end));
  fc.assert(fc.property(cut(BUFFERED_ANSWER), (text) => expect(buffered(text)).toBe("wrong")));
  fc.assert(fc.property(cut(STREAM), (text) => expect(streamed(text)).toBe("wrong")));
});

test("a stream without one of its deltas is wrong", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 63 }), (missing) => {
      const frames = STREAM_FRAMES.filter((_, index) => index !== missing);
      expect(streamed(frames.join(""))).toBe("wrong");
    }),
  );
});

test.each(["", "{}", '{"error":{"message":"no"}}', "<html></html>"])("%p is wrong", (text) => {
  expect(buffered(text)).toBe("wrong");
  expect(streamed(text)).toBe("wrong");
});

test("the first event is a whole one with data, not a comment or half a frame", () => {
  const seen = (text: string) => hasFirstEvent(Buffer.from(text));
  expect(seen(": keep-alive\n\n")).toBe(false);
  expect(seen(": keep-alive\n\ndata: {")).toBe(false);
  expect(seen("data: {}\n")).toBe(false);
  expect(seen("data: {}\n\n")).toBe(true);
  expect(seen("event: x\r\ndata: {}\r\n\r\n")).toBe(true);
});
