import { describe, expect, test } from "bun:test";
import type { AnswerContext } from "../../../src/protocol/codec.ts";
import { readAnswer } from "../../../src/protocol/cohere/read-answer.ts";
import { writeAnswer } from "../../../src/protocol/cohere/write-answer.ts";
import type { IrAnswer, StopKind } from "../../../src/protocol/ir/answer.ts";
import type { Block, Citation } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { printJson } from "../../../src/wire/exact-json.ts";
import { answered } from "./sdk.ts";
import { problemsOfAnswer } from "./validity.ts";

const USAGE = { inputTotal: 3, outputTotal: 4, raw: {} };
function write(change: Partial<IrAnswer>) {
  const losses: Loss[] = [];
  const context: AnswerContext = {
    requestId: "req_1",
    asked: {
      origin: "cohere",
      model: "m",
      system: [],
      messages: [],
      tools: undefined,
      sampling: {},
      stream: false,
    },
    createdAt: 0,
    framing: "events",
    report: (loss) => void losses.push(loss),
  };
  const answer: IrAnswer = { origin: "openai", candidates: [], usage: USAGE, ...change };
  const body = JSON.parse(printJson(writeAnswer(answer, context)));
  expect(problemsOfAnswer(body)).toEqual([]);
  const codes = losses.filter(({ code }) => code !== "L-BILLED");
  return { body, losses: codes.map(({ code, path }) => `${code} ${path}`) };
}
const said = (...blocks: Block[]) =>
  write({ candidates: [{ index: 0, blocks, stop: { kind: "end" } }] });
const cited = (text: string, ...citations: Citation[]) =>
  said({ type: "reasoning", text: "hm" }, { type: "text", text, citations });

describe("another protocol's answer", () => {
  test("is read by the official SDK", async () => {
    const { body, losses } = said(
      { type: "reasoning", text: "hm" },
      { type: "text", text: "a" },
      { type: "tool_call", callId: "1", name: "f", argsValue: { x: 1 } },
    );
    expect(losses).toEqual([]);
    const answer = await answered(body);
    expect(answer).toMatchObject({
      finishReason: "COMPLETE",
      message: {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "text", text: "a" },
        ],
        toolCalls: [{ id: "1", type: "function", function: { name: "f", arguments: '{"x":1}' } }],
      },
      usage: {
        billedUnits: { inputTokens: 3, outputTokens: 4 },
        tokens: { inputTokens: 3, outputTokens: 4 },
      },
    });
    expect(answer.id).toMatch(/^[0-9a-f-]{36}$/);
  });
  test("that was blocked is an empty one, not an error", () =>
    expect(write({ candidates: [] }).body).toMatchObject({
      message: { role: "assistant", content: [] },
      finish_reason: "ERROR",
    }));
  test("is its first candidate", () => {
    const one = (text: string, index: number) => ({
      index,
      blocks: [{ type: "text", text } as const],
      stop: { kind: "end" } as const,
    });
    const { body, losses } = write({ candidates: [one("a", 0), one("b", 1)] });
    expect(body.message.content).toEqual([{ type: "text", text: "a" }]);
    expect(losses).toEqual(["L-N candidates[1]"]);
  });
  test("loses the place of a text behind a call", () =>
    expect(
      said({ type: "tool_call", callId: "1", name: "f", args: "{}" }, { type: "text", text: "a" })
        .losses,
    ).toEqual(["L-ORDER candidates[0].blocks[1]"]));
  test("shows a thought without its proof, and none that is sealed", () => {
    const proof = { value: "S", encoding: "plain", family: "anthropic" } as const;
    const { body, losses } = said(
      { type: "reasoning", text: "hm", signature: proof },
      { type: "reasoning", sealed: proof },
      { type: "reasoning", summary: ["a", "b"] },
    );
    expect(body.message.content).toEqual([
      { type: "thinking", thinking: "hm" },
      { type: "thinking", thinking: "a\n\nb" },
    ]);
    expect(losses).toEqual([
      "L-REASONING-FOREIGN candidates[0].blocks[0]",
      "L-REASONING-FOREIGN candidates[0].blocks[1]",
    ]);
  });
  test("has its probabilities beside the message", () => {
    const logprobs = [{ token: "a", logprob: -1, tokenId: 7, bytes: [97] }];
    const { body, losses } = said({ type: "text", text: "a", logprobs });
    expect(body.logprobs).toEqual([{ text: "a", token_ids: [7], logprobs: [-1] }]);
    expect(losses).toEqual(["L-LOGPROBS candidates[0].logprobs"]);
  });
  test("that does not say what it used is reported", () =>
    expect(write({ usage: undefined }).losses).toContain("L-USAGE usage"));
});

describe("a citation", () => {
  const source = { url: "https://a.test", title: "A" };
  test("keeps its place, in code points", () => {
    const { body, losses } = cited("𝄞bcd", {
      span: { start: 1, end: 3, of: "block" },
      sources: [source],
    });
    expect(body.message.citations).toEqual([
      {
        start: 1,
        end: 3,
        text: "bc",
        sources: [
          {
            type: "document",
            id: "https://a.test",
            document: { title: "A", url: "https://a.test", text: "" },
          },
        ],
        type: "TEXT_CONTENT",
        content_index: 1,
      },
    ]);
    expect(losses).toEqual([]);
  });
  test("without a place is for all of its text", () =>
    expect(cited("𝄞b", { sources: [source] }).body.message.citations[0]).toMatchObject({
      start: 0,
      end: 2,
      text: "𝄞b",
    }));
  test("of a page loses the page", () =>
    expect(
      cited("a", { place: { kind: "page", start: 3, end: 4, documentIndex: 2 }, sources: [{}] }),
    ).toMatchObject({
      body: { message: { citations: [{ sources: [{ type: "document", id: "doc:2" }] }] } },
      losses: ["L-CITE candidates[0].blocks[1]"],
    }));
});

describe("why it ended", () => {
  const WORDS: Readonly<Record<StopKind, string>> = {
    end: "COMPLETE",
    tool_call: "TOOL_CALL",
    length: "MAX_TOKENS",
    stop_sequence: "STOP_SEQUENCE",
    error: "ERROR",
    timeout: "TIMEOUT",
    context_window: "MAX_TOKENS*",
    pause: "COMPLETE*",
    refusal: "COMPLETE*",
    content_filter: "ERROR*",
    guardrail: "ERROR*",
    recitation: "ERROR*",
    malformed_tool_call: "ERROR*",
    malformed_output: "ERROR*",
    compaction: "COMPLETE*",
    steered: "COMPLETE*",
    continuation: "COMPLETE*",
    other: "COMPLETE*",
  };
  test.each(Object.entries(WORDS))("%s is %s: protocols.md 4.2", (kind, word) => {
    const stop = { kind: kind as StopKind, raw: "x" };
    const { body, losses } = write({ candidates: [{ index: 0, blocks: [], stop }] });
    expect(body.finish_reason).toBe(word.replace("*", ""));
    expect(losses).toEqual(word.endsWith("*") ? ["L-STOP stop"] : []);
  });
});

describe("citations of this wire's own", () => {
  const body = (citations: readonly JsonObject[]): JsonObject => ({
    id: "1",
    finish_reason: "COMPLETE",
    message: {
      role: "assistant",
      content: [
        { type: "text", text: "abc" },
        { type: "text", text: "def" },
      ],
      citations,
    },
  });
  const at = (content_index: number, start: number) => ({
    start,
    end: start + 1,
    text: "abcdef"[content_index * 3 + start]!,
    sources: [{ type: "tool", id: "t:0", tool_output: { a: 1 } }],
    type: "TEXT_CONTENT",
    content_index,
  });
  const again = (all: readonly JsonObject[]) => {
    const read = readAnswer(body(all));
    const { body: written } = write(read);
    return { citations: written.message.citations, blocks: read.candidates[0]!.blocks };
  };
  test("stand on the texts they are in", () => {
    const all = [at(0, 1), at(1, 0), at(1, 2)];
    const { citations, blocks } = again(all);
    expect(citations).toEqual(all);
    expect(blocks.map((block) => block.type === "text" && block.citations?.length)).toEqual([1, 2]);
    expect(blocks[0]).toMatchObject({
      citations: [
        {
          span: { start: 1, end: 2, of: "block" },
          place: { kind: "tool" },
          sources: [{ documentId: "t:0", data: { a: 1 } }],
        },
      ],
    });
  });
  test("out of order, or of no text, stay as they came", () => {
    for (const all of [[at(1, 0), at(0, 1)], [{ ...at(0, 1), content_index: 7 }]]) {
      const { citations, blocks } = again(all);
      expect(citations).toEqual(all);
      expect(blocks.some((block) => block.type === "text" && block.citations)).toBe(false);
    }
  });
});
