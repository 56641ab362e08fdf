import { describe, expect, test } from "bun:test";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { Block, Signed } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { readAnswer } from "../../../src/protocol/openai/read-answer.ts";
import { writeAnswer } from "../../../src/protocol/openai/write-answer.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";
import { accumulate, saidBy } from "./accumulate.ts";
import { answerContext, eventsOf, plain, requestOf, streamOf } from "./kit.ts";
import { sdkAnswer } from "./sdk.ts";

function written(answer: Partial<IrAnswer>, losses: Loss[] = []): JsonObject {
  const whole: IrAnswer = {
    origin: "anthropic",
    id: "msg_1",
    model: "claude",
    candidates: [],
    ...answer,
  };
  return plain(writeAnswer(whole, answerContext({}, losses)));
}
function choiceOf(blocks: readonly Block[], losses: Loss[] = []): Record<string, JsonObject> {
  const stop = { kind: "end" } as const;
  const { choices } = written({ candidates: [{ index: 0, blocks, stop }] }, losses);
  return (choices as unknown as Record<string, JsonObject>[])[0]!;
}
const signed = (value: string, family: Signed["family"]): Signed => ({
  value,
  encoding: "plain",
  family,
});

describe("another protocol's answer", () => {
  test("is a chat completion of its own id, with the upstream's model", () => {
    const blocks: Block[] = [{ type: "text", text: "a" }];
    const usage = { inputTotal: 3, outputTotal: 4, reasoning: 1, raw: {} };
    const stop = { kind: "length" } as const;
    expect(written({ candidates: [{ index: 0, blocks, stop }], usage })).toEqual({
      id: "chatcmpl-r1",
      object: "chat.completion",
      created: 1_760_000_000,
      model: "claude",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "a", refusal: null },
          logprobs: null,
          finish_reason: "length",
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 4,
        total_tokens: 7,
        completion_tokens_details: { reasoning_tokens: 1 },
      },
    });
  });
  test("of a blocked prompt is empty and filtered, not a failure", () => {
    expect(written({ candidates: [], blocked: { reason: "SAFETY" } })).toMatchObject({
      choices: [{ message: { content: null }, finish_reason: "content_filter" }],
    });
  });
  test("has one text of many, whose citations are counted from its beginning", () => {
    const losses: Loss[] = [];
    const sources = [{ url: "u", title: "t" }];
    const { message } = choiceOf(
      [
        { type: "text", text: "😀" },
        { type: "text", text: "bc", citations: [{ sources }, { place: { kind: "page" } }] },
      ],
      losses,
    );
    expect(message).toMatchObject({
      content: "😀bc",
      annotations: [
        { type: "url_citation", url_citation: { start_index: 1, end_index: 3, url: "u" } },
      ],
    });
    expect(losses).toMatchObject([{ code: "L-CITE", path: "candidates[0].blocks[1]" }]);
  });
  test("keeps reasoning as text, and its proofs where clients send them back", () => {
    const reasoning: Block[] = [
      { type: "reasoning", text: "a", signature: signed("s", "anthropic") },
      { type: "reasoning", summary: ["b", "c"], sealed: signed("e", "openai"), id: "rs_1" },
      {
        type: "reasoning",
        signature: signed("p", "google"),
        carries: { proofOf: "call", callId: "c1" },
      },
      { type: "tool_call", callId: "c1", name: "f", argsValue: { x: 1 } },
    ];
    const { message } = choiceOf(reasoning);
    expect(message!["reasoning_content"]).toBe("a\n\nb\n\nc");
    const tools = message!["tool_calls"];
    expect(tools).toEqual([
      { id: "c1", type: "function", function: { name: "f", arguments: '{"x":1}' } },
    ]);
    const echoed = requestOf({ model: "m", messages: [message!] }).messages[0]!.blocks;
    expect(echoed.map((block) => ({ ...block, at: undefined }))).toMatchObject([
      ...reasoning.slice(0, 3),
      { type: "tool_call", callId: "c1", name: "f", args: '{"x":1}' },
    ]);
  });
  test("hands no details over where nothing has to come back", () => {
    expect(choiceOf([{ type: "reasoning", text: "a" }])["message"]).toEqual({
      role: "assistant",
      content: null,
      refusal: null,
      reasoning_content: "a",
    });
  });
  test("reports what has no place and where the order changed", () => {
    const losses: Loss[] = [];
    const raw = {};
    choiceOf(
      [
        { type: "tool_call", callId: "c", name: "f", args: "" },
        { type: "text", text: "late" },
        { type: "hosted_call", vendor: "anthropic", toolType: "web_search", raw },
        { type: "opaque", vendor: "anthropic", wireType: "x", raw },
      ],
      losses,
    );
    expect(losses.map(({ code }) => code)).toEqual(["L-ORDER", "L-HOSTED", "L-UNKNOWN-BLOCK"]);
  });
  test("approximates stop words, and says so", () => {
    const losses: Loss[] = [];
    const stop = { kind: "pause", raw: "pause_turn" } as const;
    expect(written({ candidates: [{ index: 0, blocks: [], stop }] }, losses)).toMatchObject({
      choices: [{ finish_reason: "stop" }],
    });
    expect(losses).toMatchObject([
      { code: "L-STOP", path: "stop", detail: "pause_turn", severity: "semantic" },
    ]);
  });
  test("a refusal with words is a plain stop, one without is filtered", () => {
    const reasons = [[{ type: "refusal", text: "no" } as const], []].map((blocks) => {
      const stop = { kind: "refusal" } as const;
      return written({ candidates: [{ index: 0, blocks, stop }] })["choices"];
    });
    expect(reasons).toMatchObject([
      [{ finish_reason: "stop" }],
      [{ finish_reason: "content_filter" }],
    ]);
  });
  test("invents no counts: one that is missing is reported", () => {
    const losses: Loss[] = [];
    const answer = written({ usage: { outputTotal: 4, raw: {} } }, losses);
    expect(answer["usage"]).toEqual({ prompt_tokens: 0, completion_tokens: 4, total_tokens: 4 });
    expect(losses.map(({ code }) => code)).toEqual(["L-USAGE"]);
  });
  test("tells the bytes of a token only where they are certain", () => {
    const logprobs = [
      { token: "é", logprob: -1 },
      { token: "\ufffd", logprob: -2 },
    ];
    expect(choiceOf([{ type: "text", text: "é", logprobs }])["logprobs"]).toEqual({
      content: [
        { token: "é", logprob: -1, bytes: [195, 169], top_logprobs: [] },
        { token: "\ufffd", logprob: -2, bytes: null, top_logprobs: [] },
      ],
      refusal: null,
    });
  });
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  for (const { name, response, streamed } of recordingsOf("openai-chat")) {
    if (!streamed) continue;
    test(`${name}: buffered or streamed, a client is told the same`, async () => {
      const events = eventsOf(response).map((event) => plain({ ...event, ext: undefined }));
      const { candidates, ...rest } = accumulate(events);
      const answer = { ...rest, candidates, origin: "anthropic" } as const;
      const whole = readAnswer(writeAnswer(plain(answer), answerContext()));
      const streamed = readAnswer((await sdkAnswer(streamOf(events, answerContext())))!);
      expect(saidBy(streamed)).toEqual(saidBy(whole));
    });
  }
});
