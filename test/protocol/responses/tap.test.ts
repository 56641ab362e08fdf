import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import { streamTap } from "../../../src/protocol/responses/tap.ts";
import { readUsage } from "../../../src/protocol/responses/usage.ts";
import { haveRecordings, NO_RECORDINGS } from "../../faultd/recordings.ts";
import { sse, streams, terminal, utf8, wireEvents } from "./recorded.ts";

function tapOf(...chunks: readonly Chunk[]) {
  const tap = streamTap();
  for (const chunk of chunks) {
    const own = chunk.slice();
    tap.feed(own);
    own.fill(0x22); // A tap that kept the chunk would show it.
  }
  tap.end();
  return tap;
}
const tapped = (text: string) => tapOf(utf8(text));
const learnt = ({
  complete,
  fault,
  eventCount,
  textBytes,
  usage,
  id,
  model,
}: ReturnType<typeof tapOf>) => ({
  complete,
  fault,
  eventCount,
  textBytes,
  usage,
  id,
  model,
});
const deltaBytes = (body: Uint8Array): number =>
  wireEvents(body).reduce(
    (sum, { delta }) => sum + (typeof delta === "string" ? Buffer.byteLength(delta) : 0),
    0,
  );

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test.each(streams)("$name tells what its terminal event tells", ({ response }) => {
    const tap = tapOf(response.slice());
    const last = terminal(response);
    const usage = readUsage(utf8(JSON.stringify(last)));
    const { id, model } = last;
    expect(learnt(tap)).toMatchObject({ complete: true, fault: undefined, usage, id, model });
    expect(usage).toBeDefined();
    expect(tap.atBoundary).toBe(true);
    expect(Math.abs(tap.textBytes - deltaBytes(response))).toBeLessThanOrEqual(
      0.1 * deltaBytes(response) + 2,
    );
  });
  test.each(streams)("$name is the same in any chunks", ({ response }) => {
    const whole = learnt(tapOf(response.slice()));
    const bytes = Array.from(response, (_, at) => response.slice(at, at + 1));
    expect(learnt(tapOf(...bytes))).toEqual(whole);
    const property = fc.property(fc.nat(response.length), (at) => {
      expect(learnt(tapOf(response.slice(0, at), response.slice(at)))).toEqual(whole);
    });
    fc.assert(property, { numRuns: 5 });
  });
  test.each(streams)("$name cut behind any event but the last is not complete", ({ response }) => {
    const text = new TextDecoder().decode(response).replaceAll("\r\n", "\n");
    const frames = text.split("\n\n").filter((frame) => frame.includes("data:"));
    const last = frames.findIndex((frame) =>
      /"type": ?"response\.(completed|incomplete)"/.test(frame),
    );
    expect(last).toBeGreaterThan(0);
    for (let cut = 0; cut < last; cut++) {
      const tap = tapped(frames.slice(0, cut + 1).join("\n\n"));
      expect([tap.complete, tap.fault]).toEqual([false, undefined]);
    }
  });
});

const created = { type: "response.created", response: { id: "resp_1", model: "m" } };
const delta = (text: string) => ({ type: "response.output_text.delta", delta: text });
const completed = {
  type: "response.completed",
  response: { id: "resp_1", usage: { input_tokens: 3, output_tokens: 2 } },
};
const failed = (code: string, message = "no") => ({
  type: "response.failed",
  response: { id: "resp_1", status: "failed", error: { code, message } },
});

describe("the end", () => {
  test.each(["response.completed", "response.incomplete"])("%s completes", (type) => {
    const tap = tapped(sse(created, { ...completed, type }));
    expect([tap.complete, tap.fault]).toEqual([true, undefined]);
    expect(tap.usage).toEqual({
      inputTokens: 3,
      outputTokens: 2,
      cacheReadTokens: 0,
      reasoningTokens: 0,
    });
  });
  test.each([
    ["rate_limit_exceeded", { kind: "rate_limited", retryAfterMs: undefined }],
    ["server_error", { kind: "server_error" }],
    ["invalid_prompt", { kind: "client_error" }],
    ["insufficient_quota", { kind: "billing" }],
  ] as const)("a failed response is a fault: %s", (code, fault) => {
    const tap = tapped(sse(created, failed(code)));
    expect([tap.complete, tap.fault]).toEqual([true, fault]);
  });
  test("is known by the type in the data, or else on the event line", () => {
    expect(tapped(`event: response.completed\ndata: {"response":{}}\n\n`).complete).toBe(true);
    expect(
      tapped(`event: odd\ndata: {"type":"response.completed","response":{}}\n\n`).complete,
    ).toBe(true);
  });
  test("[DONE] neither completes nor spoils it", () => {
    expect(tapped(`${sse(created)}data: [DONE]\n\n`).complete).toBe(false);
    expect(tapped(`${sse(created, completed)}data: [DONE]\n\n`)).toMatchObject({
      complete: true,
      fault: undefined,
    });
  });
  test("what stands behind it is read by nobody", () => {
    expect(tapped(sse(created, completed, failed("server_error"))).fault).toBeUndefined();
  });
  test("a text that quotes the end is no end", () => {
    const quoted = JSON.stringify(completed);
    expect(tapped(sse(created, delta("a"), delta(quoted), delta(`"response":{}`))).complete).toBe(
      false,
    );
  });
  test("is seen in an event that looks like a delta", () => {
    const like = (rest: object) => sse({ delta: "a", ...rest });
    const text = like({ type: "response.output_text.delta" }).repeat(3) + like(completed);
    expect(tapped(sse(created) + text).complete).toBe(true);
  });
  test("a terminal event of megabytes still counts", () => {
    const output = [{ type: "image_generation_call", result: "A".repeat(5_000_000) }];
    const last = { type: completed.type, response: { ...completed.response, output } };
    const bytes = utf8(sse(created, last));
    expect(tapOf(bytes.slice(0, 1_000_000), bytes.slice(1_000_000))).toMatchObject({
      complete: true,
    });
  });
});

describe("an event like those before", () => {
  const numbered = (text: string, sequence_number: number, rest: object = {}) =>
    JSON.stringify({ type: "response.output_text.delta", sequence_number, delta: text, ...rest });
  const streamed = (...lines: string[]) => {
    const data = [JSON.stringify(created), ...lines].map((line) => `data: ${line}\n\n`);
    return tapped(data.join(""));
  };
  test("is counted, whatever number it has and whatever stands behind its text", () => {
    const lines = Array.from({ length: 120 }, (_, at) =>
      numbered("é", at, { logprobs: [], obfuscation: "x".repeat(at % 7) }),
    );
    expect(streamed(...lines).textBytes).toBe(240);
  });
  test("is read when there is a response or an error in it", () => {
    const { response } = completed;
    const tap = streamed(numbered("a", 1), numbered("b", 2), numbered("c", 3, { response }));
    expect(tap.usage?.inputTokens).toBe(3);
    const error = { code: "rate_limit_exceeded" };
    const bare = (text: string, rest: object = {}) => JSON.stringify({ delta: text, ...rest });
    expect(streamed(bare("a"), bare("b"), bare("c", { error })).fault?.kind).toBe("rate_limited");
  });
});

describe("the response that ended", () => {
  const usage = { input_tokens: 3, output_tokens: 2 };
  const ended = (response: string, rest = "") =>
    `data: {"type":"response.completed","response":${response}${rest}}\n\n`;
  const report = {
    ...{ inputTokens: 3, outputTokens: 2 },
    ...{ cacheReadTokens: 0, reasoningTokens: 0 },
  };
  const begun = sse({ ...created, response: { id: "resp_1", model: "m" } });
  test("tells its usage wherever it stands in it", () => {
    const spelt = JSON.stringify(usage);
    for (const response of [
      `{"usage":${spelt}}`,
      `{"id":"x","usage":${spelt},"metadata":{"usage":"{}"},"tools":[{"usage":{"a":1}}]}`,
      `{"tools":[{"usage":{"a":1}}],"usage":${spelt},"instructions":"say \\"usage\\":{}}"}`,
    ]) {
      for (const rest of ["", ',"sequence_number":7', ',"sequence_number":7 ']) {
        const tap = tapped(begun + ended(response, rest));
        expect([tap.complete, tap.usage, tap.fault]).toEqual([true, report, undefined]);
      }
    }
  });
  test("tells none where there is none", () => {
    for (const response of ["{}", '{"usage":null}', '{"output":[{"usage":{"input_tokens":9}}]}']) {
      const tap = tapped(begun + ended(response));
      expect([tap.complete, tap.usage]).toEqual([true, undefined]);
    }
  });
  test("is not complete when its event was cut, wherever that was", () => {
    const whole = begun + ended(JSON.stringify({ id: "x", usage, user: null }), ',"n":1').trimEnd();
    expect(tapped(whole).complete).toBe(true);
    for (let end = begun.length; end < whole.length; end++) {
      expect(tapped(whole.slice(0, end)).complete).toBe(false);
    }
  });
  test("tells who it is where nothing before it did", () => {
    const response = JSON.stringify({ id: "resp_2", model: "m2", usage });
    expect(learnt(tapped(ended(response)))).toMatchObject({
      id: "resp_2",
      model: "m2",
      usage: report,
    });
  });
  test("is named again while it is in progress, and that is no news but to who has not heard", () => {
    const progress = (id: string) =>
      `event: response.in_progress\n${sse({ type: "response.in_progress", response: { id, model: "m" } })}`;
    expect(tapped(progress("resp_3")).id).toBe("resp_3");
    expect(tapped(begun + progress("resp_3")).id).toBe("resp_1");
  });
});

describe("an error event", () => {
  test.each([
    [
      `event: error\ndata: {"type":"error","code":"server_error","message":"Our servers are currently overloaded."}\n\n`,
      "overloaded",
    ],
    [`data: {"type":"error","error":{"code":"rate_limit_exceeded"}}\n\n`, "rate_limited"],
    [`event: error\ndata: nonsense\n\n`, "server_error"],
    [`data: {"error":{"code":429,"message":"x"}}\n\n`, "rate_limited"],
    [`event: error\ndata: {"code":"context_length_exceeded","message":"x"}\n\n`, "context_length"],
  ])("%j is a fault", (frame, kind) => {
    expect(tapped(frame).fault?.kind).toBe(kind as never);
  });
  test("counts what came before it", () => {
    expect(tapped(sse(failed("server_error"))).eventsBeforeFault).toBe(0);
    expect(tapped(sse(created, delta("x"), failed("server_error"))).eventsBeforeFault).toBe(2);
    expect(
      tapped(sse({ type: "error", code: "x" }, failed("server_error"))).eventsBeforeFault,
    ).toBe(0);
  });
  test("an event of the answer with an error in it is none", () => {
    const done = { type: "response.mcp_call.failed", error: "no" };
    expect(tapped(sse(created, done)).fault).toBeUndefined();
  });
});

test("between two events is a boundary, inside one is none", () => {
  const text = sse(created, delta("x"));
  const tap = streamTap();
  tap.feed(utf8(text.slice(0, -1)));
  expect(tap.atBoundary).toBe(false);
  tap.feed(utf8(text.slice(-1)));
  expect(tap.atBoundary).toBe(true);
});

test("whatever stands in it, it never throws", () => {
  const line = fc.oneof(
    fc.json(),
    fc.constantFrom(
      JSON.stringify(created),
      JSON.stringify(completed),
      '{"type":"error"}',
      "",
      "[DONE]",
    ),
    fc.string(),
  );
  const property = fc.property(fc.array(line), fc.nat(40), (lines, at) => {
    const bytes = utf8(lines.map((each) => `data: ${each}\n\n`).join(""));
    expect(learnt(tapOf(bytes.slice(0, at), bytes.slice(at)))).toEqual(learnt(tapOf(bytes)));
  });
  fc.assert(property, { numRuns: 300 });
});
