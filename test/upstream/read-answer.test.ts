import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Fault } from "../../src/core/fault.ts";
import type { Failed } from "../../src/upstream/context.ts";
import type { Committed } from "../../src/upstream/committed.ts";
import { readAnswer } from "../../src/upstream/read-answer.ts";
import {
  bytesOf,
  COMPLETION,
  cutAt,
  flow,
  refusal,
  replyTo,
  restOf,
  type RigOptions,
  whole,
} from "./pieces.ts";

async function read(response: Response, options: RigOptions = {}) {
  const { reply, call } = replyTo(response, options);
  const answer: Committed | Failed = await readAnswer(reply);
  return { answer, aborted: call.signal.aborted };
}
const JSON_TYPE = { "content-type": "application/json" };
/** A buffered answer that ends with its connection: nothing says how long it is. */
const closing = (pieces: Parameters<typeof flow>[0]) => flow(pieces, { headers: JSON_TYPE });
/** One framed by chunks: the transport says where it ends. */
const chunked = (pieces: Parameters<typeof flow>[0]) =>
  flow(pieces, { headers: { ...JSON_TYPE, "transfer-encoding": "chunked" } });
const places = fc.array(fc.nat(10_000), { maxLength: 8 });
const CUT: Failed = {
  fault: { kind: "protocol", what: "incomplete or not JSON" },
  answer: undefined,
};

describe("the status", () => {
  test.each([300, 301, 302, 303, 304, 307, 308, 399])(
    "%d is a redirect: not followed, given up",
    async (status) => {
      const response = new Response(null, { status, headers: { location: "https://ext.example" } });
      expect(await read(response)).toEqual({
        answer: { fault: { kind: "redirect" }, answer: undefined },
        aborted: true,
      });
    },
  );
  test.each([0, 100, 101, 199, 600, 999])("%d is no status an answer has", async (status) => {
    const response = Object.defineProperty(whole(COMPLETION), "status", { value: status });
    expect(await read(response)).toEqual({
      answer: { fault: { kind: "protocol", what: "status" }, answer: undefined },
      aborted: true,
    });
  });
  test("204 without a body is no answer to a model call", async () => {
    expect((await read(new Response(null, { status: 204 }))).answer).toMatchObject({
      fault: { kind: "protocol" },
    });
  });
  test("any other of the 200s is passed on as it is", async () => {
    const { answer } = await read(whole(COMPLETION, {}, 201));
    expect(answer).toMatchObject({ kind: "whole", status: 201, refusal: undefined });
  });
});

describe("a buffered answer", () => {
  test("is passed on byte for byte, however it is framed and cut into reads", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), places, async (text, cuts) => {
        fc.pre(/^\s*[[{]/.test(text));
        for (const framed of [
          whole(text),
          closing(cutAt(text, cuts)),
          chunked(cutAt(text, cuts)),
        ]) {
          const { answer, aborted } = await read(framed);
          if (!("kind" in answer) || answer.kind !== "whole") throw new Error("not committed");
          expect(Buffer.from(answer.body).toString()).toBe(text);
          expect(aborted).toBe(false);
        }
      }),
    );
  });

  test("that ends with its connection is a fault wherever it was cut", async () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
    await fc.assert(
      fc.asyncProperty(
        object,
        fc.double({ min: 0, max: 1, maxExcluded: true }),
        async (value, part) => {
          const bytes = bytesOf(JSON.stringify(value));
          const cut = bytes.slice(0, Math.floor(bytes.length * part));
          expect((await read(closing(cut.length > 0 ? [cut] : []))).answer).toEqual(CUT);
        },
      ),
    );
  });

  test.each(["", "  ", "{", '{"a":1', "{oops}", "oops", "}", '{"a":1}x', "<html>busy</html>"])(
    "that is not one JSON value is a fault, whatever its type and framing: %p",
    async (text) => {
      for (const type of ["application/json", "text/plain", "text/html; charset=utf-8"]) {
        const headers = { "content-type": type };
        const framings = [
          () => whole(text, headers),
          () => flow([text], { headers }),
          () => flow([text], { headers: { ...headers, "transfer-encoding": "chunked" } }),
        ];
        for (const framed of framings) {
          expect((await read(framed())).answer).toEqual(CUT);
          expect((await read(framed(), { stream: true })).answer).toEqual(CUT);
        }
      }
    },
  );

  test("is passed on under whatever type it has, to who asked for a stream too", async () => {
    for (const type of ["text/plain", "application/json; charset=utf-8"]) {
      const headers = { "content-type": type };
      const given = { kind: "whole", status: 200, headers };
      expect((await read(whole(COMPLETION, headers))).answer).toMatchObject(given);
      expect((await read(whole(COMPLETION, headers), { stream: true })).answer).toMatchObject(
        given,
      );
    }
  });

  test("too large to read through is trusted to its framing, and to nothing without one", async () => {
    const inside = "x".repeat(256 * 1024);
    const odd = `{"a":"${inside}" oops}`;
    expect((await read(chunked([odd]))).answer).toMatchObject({ kind: "whole" });
    expect((await read(chunked([odd.slice(0, -1)]))).answer).toEqual(CUT);
    expect((await read(closing([odd]))).answer).toEqual(CUT);
    expect((await read(closing([`{"a":"${inside}"}`]))).answer).toMatchObject({ kind: "whole" });
  });

  test("that is compressed is passed on compressed, and unread", async () => {
    const body = Bun.gzipSync(bytesOf(COMPLETION));
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    const { answer } = await read(flow([body], { headers }));
    if (!("kind" in answer) || answer.kind !== "whole") throw new Error("not committed");
    expect(Buffer.from(answer.body).equals(Buffer.from(body))).toBe(true);
    expect((await read(flow([], { headers }))).answer).toEqual(CUT);
  });

  test("whose connection breaks is no answer", () => {
    const { reply } = replyTo(flow(['{"a":'], { headers: JSON_TYPE, then: "reset" }));
    return expect(Promise.resolve(readAnswer(reply))).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("larger than the buffer is relayed as it comes, from its first byte", async () => {
    const text = JSON.stringify({ a: "x".repeat(5000) });
    const relay = { bufferBytesMax: 2048 };
    await fc.assert(
      fc.asyncProperty(places, fc.boolean(), async (cuts, declared) => {
        const pieces = cutAt(text, [...cuts, 1000, 2000, 3000]);
        const length = { "content-length": String(text.length) };
        const headers = { ...JSON_TYPE, ...(declared && length) };
        const { answer, aborted } = await read(flow(pieces, { headers }), { relay });
        if (!("kind" in answer) || answer.kind !== "stream") throw new Error("held whole");
        expect(answer.tap).toBeUndefined();
        expect(Buffer.concat(answer.held).length).toBeLessThan(text.length);
        expect(await restOf(answer.held, answer.reader)).toBe(text);
        expect(aborted).toBe(false);
      }),
    );
    const exact = text.slice(0, 2046) + '"}';
    expect((await read(whole(exact), { relay })).answer).toMatchObject({ kind: "whole" });
    expect((await read(closing([exact]), { relay })).answer).toMatchObject({ kind: "whole" });
  });
});

describe("an error answer", () => {
  const told = (status: number, error: object) => read(refusal(status, error));
  test.each<[number, object, Fault["kind"]]>([
    [400, { type: "invalid_request_error" }, "client_error"],
    [404, { code: "model_not_found" }, "client_error"],
    [422, {}, "client_error"],
    [400, { code: "context_length_exceeded" }, "context_length"],
  ])("%d %p is the caller's fault: its own words are kept", async (status, error, kind) => {
    const { answer } = await told(status, error);
    const body = await refusal(status, error).bytes();
    expect(answer).toMatchObject({
      fault: { kind },
      answer: { kind: "whole", status, body, refusal: { kind } },
    });
  });

  test.each<[number, object, Fault["kind"]]>([
    [401, {}, "auth"],
    [403, {}, "auth"],
    [402, {}, "billing"],
    [429, {}, "rate_limited"],
    [429, { code: "insufficient_quota" }, "billing"],
    [500, {}, "server_error"],
    [502, { type: "invalid_request_error" }, "server_error"],
    [503, {}, "overloaded"],
    [504, {}, "timeout"],
  ])("%d %p is not: none of its words go on", async (status, error, kind) => {
    const { answer } = await told(status, error);
    expect(answer).toMatchObject({ fault: { kind }, answer: undefined });
  });

  test("says when to come back", async () => {
    const response = refusal(429);
    response.headers.set("retry-after", "7");
    expect((await read(response)).answer).toMatchObject({
      fault: { kind: "rate_limited", retryAfterMs: 7000 },
    });
  });

  test("without a body is judged by its status alone", async () => {
    expect((await read(new Response(null, { status: 500 }))).answer).toMatchObject({
      fault: { kind: "server_error" },
    });
  });

  test("that is compressed is judged by its status, and passed on as it is", async () => {
    const body = Bun.gzipSync(bytesOf('{"error":{"code":"context_length_exceeded"}}'));
    const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
    const { answer } = await read(flow([body], { status: 400, headers }));
    expect(answer).toMatchObject({
      fault: { kind: "client_error" },
      answer: { headers: { "content-encoding": "gzip" }, body },
    });
  });

  test("without an end is read to 256 KiB and no further", async () => {
    let cancelled = false;
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(64 * 1024));
        },
        cancel: () => void (cancelled = true),
      },
      { highWaterMark: 0 },
    );
    await read(new Response(body, { status: 500 }));
    expect({ cancelled, pulled }).toEqual({ cancelled: true, pulled: 5 });
  });

  test("too long to hold is never passed on cut, though it is the caller's fault", async () => {
    const message = "x".repeat(256 * 1024);
    const { answer } = await read(refusal(400, { message }));
    expect(answer).toEqual({ fault: { kind: "client_error" }, answer: undefined });
  });
});
