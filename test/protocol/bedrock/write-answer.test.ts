import { describe, expect, test } from "bun:test";
import { codec } from "../../../src/protocol/bedrock/codec.ts";
import { writeAnswer } from "../../../src/protocol/bedrock/write-answer.ts";
import type { Candidate, IrAnswer, Stop, StopKind } from "../../../src/protocol/ir/answer.ts";
import type { Block, Citation } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest } from "../../../src/protocol/ir/request.ts";
import { ASKED, contextOf } from "./pieces.ts";
import { converse } from "./sdk.ts";

const USAGE = { inputTotal: 3, outputTotal: 4, raw: {} } as const;
const END: Stop = { kind: "end", raw: "stop" };

function written(answer: Partial<IrAnswer>, asked: IrRequest = ASKED) {
  const losses: Loss[] = [];
  const whole: IrAnswer = { origin: "openai", candidates: [], usage: USAGE, ...answer };
  const wire = writeAnswer(whole, contextOf(losses, asked));
  return { wire: JSON.parse(JSON.stringify(wire)) as JsonObject, losses };
}
const candidate = (blocks: readonly Block[], stop: Stop = END): Candidate => ({
  index: 0,
  blocks,
  stop,
});
function content(...blocks: readonly Block[]) {
  const { wire, losses } = written({ candidates: [candidate(blocks)] });
  const { message } = wire["output"] as { message: { content: readonly JsonObject[] } };
  const content: readonly unknown[] = message.content;
  return { content, losses: losses.map(({ code, path }) => `${code} ${path}`) };
}

test("a foreign answer is read by the SDK as it was meant", async () => {
  const { wire, losses } = written({
    id: "chatcmpl-1",
    model: "gpt-5",
    candidates: [
      candidate(
        [
          { type: "reasoning", text: "hm" },
          { type: "text", text: "hi" },
          { type: "tool_call", callId: "c1", name: "f", args: '{"a":1}' },
        ],
        { kind: "tool_call", raw: "tool_calls" },
      ),
    ],
    usage: { inputTotal: 10, cacheRead: 4, outputTotal: 2, raw: {} },
  });
  expect(losses).toEqual([]);
  const headers = { "content-type": "application/json" };
  const { $metadata, ...seen } = await converse({
    status: 200,
    headers,
    body: JSON.stringify(wire),
  });
  expect($metadata.httpStatusCode).toBe(200);
  expect(JSON.parse(JSON.stringify(seen))).toEqual({
    output: {
      message: {
        role: "assistant",
        content: [
          { reasoningContent: { reasoningText: { text: "hm" } } },
          { text: "hi" },
          { toolUse: { toolUseId: "c1", name: "f", input: { a: 1 } } },
        ],
      },
    },
    stopReason: "tool_use",
    usage: { inputTokens: 6, outputTokens: 2, totalTokens: 12, cacheReadInputTokens: 4 },
    metrics: { latencyMs: 0 },
  });
});

describe("a foreign stop", () => {
  const EXACT: Partial<Record<StopKind, string>> = {
    end: "end_turn",
    length: "max_tokens",
    context_window: "model_context_window_exceeded",
    stop_sequence: "stop_sequence",
    tool_call: "tool_use",
    content_filter: "content_filtered",
    guardrail: "guardrail_intervened",
    malformed_tool_call: "malformed_tool_use",
    malformed_output: "malformed_model_output",
  };
  const NEAR: Partial<Record<StopKind, string>> = {
    pause: "end_turn",
    refusal: "content_filtered",
    recitation: "content_filtered",
    compaction: "end_turn",
    steered: "end_turn",
    continuation: "end_turn",
    other: "end_turn",
  };
  test.each(Object.entries(EXACT))("%s is %s, exactly", (kind, word) => {
    const stop = { kind: kind as StopKind, raw: "their word" };
    const { wire, losses } = written({ candidates: [candidate([], stop)] });
    expect({ word: wire["stopReason"], losses }).toEqual({ word, losses: [] });
    expect(codec.readAnswer(wire).candidates[0]?.stop).toMatchObject({ kind, raw: word });
  });
  test.each(Object.entries(NEAR))("%s comes near to %s, and is reported", (kind, word) => {
    const stop = { kind: kind as StopKind, raw: "their word" };
    const { wire, losses } = written({ candidates: [candidate([], stop)] });
    expect(wire["stopReason"]).toBe(word);
    expect(losses).toEqual([
      {
        code: "L-STOP",
        path: "stop",
        action: "approximated",
        detail: "their word",
        severity: kind === "pause" ? "semantic" : undefined,
      },
    ]);
  });

  test("is the content filter's where the prompt was blocked", () => {
    const { wire, losses } = written({ blocked: { reason: "SAFETY" } });
    expect(wire).toMatchObject({
      stopReason: "content_filtered",
      output: { message: { content: [] } },
    });
    expect(losses).toEqual([]);
  });

  test("tells its string to a caller who asked for Claude's path to it", () => {
    const paths = ["/stop_sequence"];
    const asked = { ...ASKED, ext: { bedrock: { additionalModelResponseFieldPaths: paths } } };
    const stop: Stop = { kind: "stop_sequence", raw: "stop_sequence", sequence: "END" };
    const extra = written({ candidates: [candidate([], stop)] }, asked).wire;
    expect(extra["additionalModelResponseFields"]).toEqual({ stop_sequence: "END" });
    expect(codec.readAnswer(extra).candidates[0]?.stop?.sequence).toBe("END");
    expect(written({ candidates: [candidate([], stop)] }).wire).not.toHaveProperty(
      "additionalModelResponseFields",
    );
  });
});

describe("foreign blocks", () => {
  test("without a place are left out and reported; other candidates, too", () => {
    const raw = {};
    const { losses, wire } = written({
      candidates: [
        candidate([
          { type: "hosted_call", vendor: "openai", toolType: "web_search", raw },
          { type: "compaction", vendor: "anthropic", raw },
          { type: "text", text: "a", logprobs: [{ token: "a", logprob: -1 }] },
          { type: "refusal", text: "no" },
        ]),
        { ...candidate([]), index: 1 },
      ],
      usage: undefined,
    });
    expect(losses.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "L-N candidates[1]",
      "L-HOSTED candidates[0].blocks[0]",
      "L-UNKNOWN-BLOCK candidates[0].blocks[1]",
      "L-LOGPROBS candidates[0].blocks[2]",
      "L-USAGE usage",
    ]);
    expect(wire["output"]).toEqual({
      message: { role: "assistant", content: [{ text: "a" }, { text: "no" }] },
    });
  });
});

describe("foreign citations", () => {
  const url = "https://docs.example.com/a";
  const web: Citation = { quoted: "q", place: { kind: "web" }, sources: [{ url, title: "A" }] };
  const wire = {
    title: "A",
    sourceContent: [{ text: "q" }],
    location: { web: { url, domain: "docs.example.com" } },
  };
  const cited = (text: string, ...citations: readonly object[]) => ({
    citationsContent: { content: [{ text }], citations },
  });

  test("of a whole block stay with it", () => {
    expect(content({ type: "text", text: "abc", citations: [web] })).toEqual({
      content: [cited("abc", wire)],
      losses: [],
    });
  });

  test("of spans cut the text at their edges, by code points", () => {
    const spans = [
      { ...web, span: { start: 1, end: 3, of: "block" } as const },
      { ...web, span: { start: 2, end: 4, of: "block" } as const },
    ];
    const { content: blocks, losses } = content({ type: "text", text: "a😀bcd", citations: spans });
    expect(blocks).toEqual([
      { text: "a" },
      cited("😀", wire),
      cited("b", wire, wire),
      cited("c", wire),
      { text: "d" },
    ]);
    expect(losses).toEqual(["L-CITE-SPLIT candidates[0].blocks[0]"]);
  });

  test("of spans of a whole message find their block", () => {
    const span = { start: 3, end: 5, of: "message" } as const;
    const blocks = content(
      { type: "text", text: "ab" },
      { type: "text", text: "cdef", citations: [{ ...web, span }] },
    );
    expect(blocks.content).toEqual([
      { text: "ab" },
      { text: "c" },
      cited("de", wire),
      { text: "f" },
    ]);
  });

  test("keep the kind of their place", () => {
    const places = (["char", "page", "block", "chunk", "search_result"] as const).map((kind) => ({
      place: { kind, start: 1, end: 2, documentIndex: 0 },
      sources: [{ title: "T", documentId: "d" }],
    }));
    const { content: blocks, losses } = content({ type: "text", text: "x", citations: places });
    const at = { start: 1, end: 2, documentIndex: 0 };
    const { citationsContent } = blocks[0] as {
      readonly citationsContent: { citations: JsonObject[] };
    };
    expect(citationsContent.citations.map(({ location }) => location)).toEqual([
      { documentChar: at },
      { documentPage: at },
      { documentChunk: at },
      { documentChunk: at },
      { searchResultLocation: { start: 1, end: 2, searchResultIndex: 0 } },
    ]);
    expect(losses).toEqual([]);
  });

  test("without a place on this wire are reported", () => {
    const tool = { place: { kind: "tool" }, sources: [{ data: { a: 1 } }] } as const;
    expect(content({ type: "text", text: "x", citations: [tool] })).toEqual({
      content: [cited("x", {})],
      losses: ["L-CITE candidates[0].blocks[0]"],
    });
  });

  test("in any number take time as their number grows", () => {
    const many = Array.from({ length: 20_000 }, (_, start) => ({
      ...web,
      span: { start, end: start + 1, of: "block" } as const,
    }));
    const text = "x".repeat(20_000);
    expect(content({ type: "text", text, citations: many }).content).toHaveLength(1);
  });
});
