import { describe, expect, test } from "bun:test";
import { codec } from "../../../src/protocol/anthropic/codec.ts";
import type { Candidate, IrAnswer, Stop } from "../../../src/protocol/ir/answer.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import { CLIENTS } from "./clients.ts";
import { context, plain } from "./pieces.ts";

const USAGE = { inputTotal: 10, cacheRead: 4, outputTotal: 7, raw: {} };
const END: Stop = { kind: "end", raw: "stop" };

function written(blocks: readonly Block[], change: Partial<IrAnswer> = {}, stop = END) {
  const told = context();
  const candidates: readonly Candidate[] = [{ index: 0, blocks, stop }];
  const answer: IrAnswer = { origin: "openai", id: "x", model: "m-1", candidates, usage: USAGE };
  const body = codec.writeAnswer({ ...answer, ...change }, told);
  const message = plain(body) as Record<string, unknown>;
  return { message, codes: told.losses.map(({ code }) => code), losses: told.losses };
}
const proof = (value: string) => ({ value, encoding: "plain", family: "openai" }) as const;

test("an answer from elsewhere is a message that both SDKs take as theirs", async () => {
  const { message, codes } = written([
    { type: "reasoning", text: "hm", signature: proof("gw1.x") },
    { type: "text", text: "hi" },
    { type: "tool_call", callId: "a", name: "f", args: '{"x":1}' },
  ]);
  expect(message).toEqual({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m-1",
    content: [
      { type: "thinking", thinking: "hm", signature: "gw1.x" },
      { type: "text", text: "hi" },
      { type: "tool_use", id: "a", name: "f", input: { x: 1 } },
    ],
    stop_reason: "end_turn",
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: 6,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: 4,
      output_tokens: 7,
    },
  });
  expect(codes).toEqual([]);
  for (const client of CLIENTS) {
    const headers = { "content-type": "application/json" };
    const { message: seen } = await client.create(
      new Response(JSON.stringify(message), { headers }),
    );
    expect(seen).toMatchObject(message);
  }
});

test("reasoning is shown as text, with an empty signature where nobody signed, or sealed", () => {
  const { message } = written([
    { type: "reasoning", summary: ["one", "two"], sealed: proof("SEAL") },
    { type: "reasoning", text: "", signature: proof("gw1.c"), carries: { proofOf: "call" } },
    { type: "reasoning", summary: [], sealed: proof("SEAL") },
  ]);
  expect(message["content"]).toEqual([
    { type: "thinking", thinking: "one\n\ntwo", signature: "" },
    { type: "redacted_thinking", data: "SEAL" },
    { type: "thinking", thinking: "", signature: "gw1.c" },
    { type: "redacted_thinking", data: "SEAL" },
  ]);
});

describe("the stop reason", () => {
  test.each<[string, Stop, string[]]>([
    ["tool_use", { kind: "tool_call", raw: "tool_calls" }, []],
    ["max_tokens", { kind: "length" }, []],
    ["model_context_window_exceeded", { kind: "context_window" }, []],
    ["pause_turn", { kind: "pause" }, []],
    ["refusal", { kind: "refusal" }, []],
    ["compaction", { kind: "compaction" }, []],
    ["refusal", { kind: "content_filter" }, ["L-STOP"]],
    ["refusal", { kind: "guardrail" }, ["L-STOP"]],
    ["refusal", { kind: "recitation" }, ["L-STOP"]],
    ["end_turn", { kind: "malformed_tool_call", raw: "MALFORMED" }, ["L-STOP"]],
    ["end_turn", { kind: "other", raw: "eos" }, ["L-STOP"]],
  ])("is %s for %j", (word, stop, losses) => {
    const { message, codes } = written([], {}, stop);
    expect(message["stop_reason"]).toBe(word);
    expect(codes).toEqual(losses as never);
  });
  test("names the string that was met", () => {
    const { message } = written([], {}, { kind: "stop_sequence", sequence: "END" });
    expect(message).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "END" });
  });
  test("tells a refusal in words, and says it as text", () => {
    const { message } = written([{ type: "refusal", text: "no" }]);
    expect(message).toMatchObject({
      content: [{ type: "text", text: "no" }],
      stop_reason: "refusal",
      stop_details: { type: "refusal", category: null, explanation: null },
    });
  });
  test("of a blocked prompt is a refusal of nothing, not an error", () => {
    const { message } = written([], { candidates: [], blocked: { reason: "SAFETY" } });
    expect(message).toMatchObject({ content: [], stop_reason: "refusal" });
  });
});

describe("citations", () => {
  const web = (start: number, end: number, of: "block" | "message" = "block") => ({
    span: { start, end, of },
    sources: [{ url: `https://x.test/${start}` }],
  });
  const textsOf = (message: Record<string, unknown>) =>
    (message["content"] as { text: string; citations?: { url: string }[] }[]).map(
      ({ text, citations = [] }) => [text, ...citations.map(({ url }) => url)],
    );
  test("cut the text at the edges of their spans, counted in code points", () => {
    const citations = [web(2, 4), web(3, 5)];
    const { message, codes } = written([{ type: "text", text: "𝄞abcdef", citations }]);
    expect(textsOf(message)).toEqual([
      ["𝄞a"],
      ["b", "https://x.test/2"],
      ["c", "https://x.test/2", "https://x.test/3"],
      ["d", "https://x.test/3"],
      ["ef"],
    ]);
    expect(codes).toEqual(["L-CITE-SPLIT"]);
  });
  test("whose span counts the whole answer find their block", () => {
    const { message } = written([
      { type: "text", text: "abc" },
      { type: "text", text: "defg", citations: [web(4, 5, "message")] },
    ]);
    expect(textsOf(message)).toEqual([["abc"], ["d"], ["e", "https://x.test/4"], ["fg"]]);
  });
  test("of all the text leave it whole", () => {
    const { message, codes } = written([{ type: "text", text: "abc", citations: [web(0, 3)] }]);
    expect(textsOf(message)).toEqual([["abc", "https://x.test/0"]]);
    expect(codes).toEqual([]);
  });
  test("without a place here are lost and said to be", () => {
    const citations = [{ sources: [{ documentId: "doc_1" }] }];
    const { message, codes } = written([{ type: "text", text: "abc", citations }]);
    expect(message["content"]).toEqual([{ type: "text", text: "abc" }]);
    expect(codes).toEqual(["L-CITE"]);
  });
});

test("what has no place here is left out, each with its loss and where it stood", () => {
  const raw = { x: 1 };
  const first: Candidate = {
    index: 0,
    stop: END,
    blocks: [
      { type: "text", text: "t", logprobs: [{ token: "t", logprob: -1 }] },
      { type: "media", kind: "image", source: { kind: "base64", data: "AA" } },
      { type: "media", kind: "audio", source: { kind: "base64", data: "AA" }, transcript: "said" },
      { type: "hosted_call", vendor: "responses", toolType: "x", raw },
      { type: "opaque", vendor: "gemini", wireType: "x", raw },
    ],
  };
  const candidates = [first, { ...first, index: 1 }];
  const { message, losses } = written([], { candidates, usage: undefined });
  expect(message["content"]).toEqual([
    { type: "text", text: "t" },
    { type: "text", text: "said" },
  ]);
  expect(losses.map(({ code, path }) => `${code}(${path})`)).toEqual([
    "L-N(candidates)",
    "L-USAGE(usage)",
    "L-LOGPROBS(candidates[0].blocks[0])",
    "L-ASSISTANT-MEDIA(candidates[0].blocks[1])",
    "L-MODALITY(candidates[0].blocks[2])",
    "L-HOSTED(candidates[0].blocks[3])",
    "L-UNKNOWN-BLOCK(candidates[0].blocks[4])",
  ]);
});
