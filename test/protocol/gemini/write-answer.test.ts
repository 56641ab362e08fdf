import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { codec } from "../../../src/protocol/gemini/codec.ts";
import type { Candidate, IrAnswer, StopKind } from "../../../src/protocol/ir/answer.ts";
import type { Block, Signed } from "../../../src/protocol/ir/block.ts";
import { printJson } from "../../../src/wire/exact-json.ts";
import { answerOf, ASKED, CALL, type Context, context, CURIOUS, json, sdkOn } from "./harness.ts";

const SIGNED: Signed = { value: "Z3cxLmFi", encoding: "plain", family: "google" };

function foreign(blocks: readonly Block[], rest: Partial<Candidate> = {}): IrAnswer {
  const candidate: Candidate = {
    index: 0,
    blocks,
    stop: { kind: "end", raw: "end_turn" },
    ...rest,
  };
  return { origin: "anthropic", id: "msg_1", model: "claude-x", candidates: [candidate] };
}
function written(answer: IrAnswer, given: Context = context()) {
  return { body: codec.writeAnswer(answer, given), losses: given.losses };
}
/** As the official SDK reads it. */
async function seen(answer: IrAnswer, given: Context = context()) {
  const body = printJson(codec.writeAnswer(answer, given));
  const read = await sdkOn(() => answerOf(body)).models.generateContent(CALL);
  return { read, losses: given.losses };
}

describe("an answer of another protocol, as the official SDK reads it", () => {
  test("has its text, its calls, its usage, and why it stopped", async () => {
    const { read, losses } = await seen({
      ...foreign(
        [
          { type: "text", text: "Let me look. " },
          { type: "tool_call", callId: "toolu_1", name: "look", args: '{"at":"Köln"}' },
          { type: "tool_call", callId: "toolu_2", name: "wait", args: "" },
        ],
        { stop: { kind: "tool_call", raw: "tool_use" } },
      ),
      usage: { inputTotal: 30, cacheRead: 10, outputTotal: 12, reasoning: 5, raw: {} },
    });
    expect(read.text).toBe("Let me look. ");
    expect(json(read.functionCalls)).toEqual(
      json([
        { id: "toolu_1", name: "look", args: { at: "Köln" } },
        { id: "toolu_2", name: "wait", args: {} },
      ]),
    );
    expect(read.candidates?.[0]?.finishReason as string).toBe("STOP");
    expect(read.modelVersion).toBe("claude-x");
    expect(json(read.usageMetadata)).toEqual({
      promptTokenCount: 30,
      cachedContentTokenCount: 10,
      candidatesTokenCount: 7,
      thoughtsTokenCount: 5,
      totalTokenCount: 42,
    });
    expect(losses).toEqual([]);
  });

  test("hides thoughts that were not asked for, and none that has a proof", async () => {
    const blocks: Block[] = [
      { type: "reasoning", text: "hm" },
      { type: "reasoning", text: "so", signature: SIGNED },
      { type: "reasoning", sealed: SIGNED },
      { type: "text", text: "4" },
    ];
    const { read } = await seen(foreign(blocks));
    const proof = { thought: true, thoughtSignature: SIGNED.value };
    const parts = [{ text: "so", ...proof }, { text: "", ...proof }, { text: "4" }];
    expect(json(read.candidates?.[0]?.content?.parts)).toEqual(json(parts));
    expect(read.text).toBe("4");
    const { read: asked } = await seen(foreign(blocks), context("events", CURIOUS));
    expect(asked.candidates?.[0]?.content?.parts).toHaveLength(4);
  });

  test("keeps a text apart that has a proof", async () => {
    const { read } = await seen(
      foreign([
        { type: "text", text: "a" },
        { type: "text", text: "b", proof: SIGNED },
        { type: "text", text: "c" },
      ]),
    );
    const proven = { text: "ab", thoughtSignature: SIGNED.value };
    expect(json(read.candidates?.[0]?.content?.parts)).toEqual(json([proven, { text: "c" }]));
  });

  test("is blocked when its prompt was", async () => {
    const blocked = { reason: "content_policy", message: "no" };
    const { read } = await seen({ origin: "openai", candidates: [], blocked });
    expect(json(read.promptFeedback)).toEqual({ blockReason: "OTHER", blockReasonMessage: "no" });
    expect(read.text).toBeUndefined();
  });

  test("may be empty", async () => {
    const { read } = await seen(foreign([]));
    expect(read.text).toBeUndefined();
    expect(read.candidates?.[0]?.finishReason as string).toBe("STOP");
  });
});

describe("what the wire has no word for is reported", () => {
  test.each([
    ["end", "STOP", []],
    ["tool_call", "STOP", []],
    ["length", "MAX_TOKENS", []],
    ["context_window", "MAX_TOKENS", ["L-STOP"]],
    ["stop_sequence", "STOP", ["L-STOP"]],
    ["pause", "STOP", ["L-STOP"]],
    ["refusal", "SAFETY", ["L-STOP"]],
    ["content_filter", "SAFETY", []],
    ["guardrail", "SAFETY", ["L-STOP"]],
    ["recitation", "RECITATION", []],
    ["malformed_tool_call", "MALFORMED_FUNCTION_CALL", []],
    ["malformed_output", "MALFORMED_RESPONSE", []],
    ["continuation", "CONTINUATION", []],
    ["other", "STOP", ["L-STOP"]],
  ] as const satisfies readonly (readonly [StopKind, string, readonly string[]])[])(
    "%s is %s",
    (kind, word, codes) => {
      const { body, losses } = written(foreign([], { stop: { kind, raw: "raw" } }));
      expect(json(body["candidates"])).toMatchObject([{ finishReason: word }]);
      expect(losses.map(({ code }) => code)).toEqual([...codes]);
    },
  );

  test("blocks of other vendors, and arguments that are no object", () => {
    const { losses, body } = written(
      foreign([
        { type: "hosted_call", vendor: "anthropic", toolType: "web_search", raw: {} },
        { type: "compaction", vendor: "anthropic", raw: {} },
        { type: "opaque", vendor: "anthropic", wireType: "new", raw: {} },
        { type: "tool_call", name: "f", args: "{oops" },
      ]),
    );
    expect(losses.map(({ code, path }) => [code, path])).toEqual([
      ["L-HOSTED", "candidates[0].blocks[0]"],
      ["L-UNKNOWN-BLOCK", "candidates[0].blocks[1]"],
      ["L-UNKNOWN-BLOCK", "candidates[0].blocks[2]"],
      ["L-ARGS-INVALID", "f"],
    ]);
    expect(JSON.stringify(body)).toContain('"args":{"_raw":"{oops"}');
  });

  test("tokens written to a cache", () => {
    const usage = { inputTotal: 5, cacheWrite: 3, outputTotal: 1, raw: {} };
    const { losses } = written({ ...foreign([]), usage });
    expect(losses).toEqual([{ code: "L-USAGE", path: "usage.cacheWrite", action: "dropped" }]);
  });
});

interface Grounded {
  readonly content: { readonly parts: readonly object[] };
  readonly groundingMetadata: {
    readonly groundingChunks: readonly object[];
    readonly groundingSupports: readonly {
      readonly segment: {
        readonly partIndex: number;
        readonly startIndex: number;
        readonly endIndex: number;
        readonly text: string;
      };
      readonly groundingChunkIndices: readonly number[];
    }[];
  };
}

describe("web citations become grounding", () => {
  const source = { url: "https://a.example", title: "A" };

  test("with offsets in bytes of the part the texts were joined in", () => {
    const { body, losses } = written(
      foreign([
        { type: "reasoning", text: "", signature: SIGNED },
        { type: "text", text: "Größe: " },
        { type: "text", text: "zwölf Meter", citations: [{ sources: [source] }] },
        {
          type: "text",
          text: " 🙂 hoch.",
          citations: [
            {
              sources: [source, { url: "https://b.example" }],
              span: { start: 1, end: 2, of: "block" },
            },
            { sources: [source], span: { start: 7, end: 12, of: "message" } },
            { quoted: "q", place: { kind: "page" }, sources: [{ documentId: "d" }] },
          ],
        },
      ]),
    );
    const [candidate] = (json(body)["candidates"] ?? []) as unknown as readonly Grounded[];
    const text = "Größe: zwölf Meter 🙂 hoch.";
    expect(candidate!.content.parts[1]).toEqual({ text });
    const { groundingChunks, groundingSupports } = candidate!.groundingMetadata;
    expect(groundingChunks).toEqual([
      { web: { uri: "https://a.example", title: "A" } },
      { web: { uri: "https://b.example" } },
    ]);
    const segments = groundingSupports.map(({ segment, groundingChunkIndices }) => {
      const { partIndex, startIndex, endIndex, text: said } = segment;
      expect(Buffer.from(text).toString("utf8", startIndex, endIndex)).toBe(said);
      return [partIndex, said, groundingChunkIndices];
    });
    expect(segments).toEqual([
      [1, "zwölf Meter", [0]],
      [1, "🙂", [0, 1]],
      [1, "zwölf", [0]],
    ]);
    const path = "candidates[0].blocks[3].citations[2]";
    expect(losses).toEqual([{ code: "L-CITE", path, action: "dropped" }]);
  });

  test("and are read back where they were, whatever the text", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 });
    fc.assert(
      fc.property(texts, fc.nat(), (all, chosen) => {
        const at = chosen % all.length;
        const blocks = all.map((text, place): Block => {
          const citations = place === at ? [{ sources: [source] }] : undefined;
          return { type: "text", text, citations };
        });
        const { body } = written(foreign(blocks));
        const [block] = codec.readAnswer(json(body)).candidates[0]!.blocks;
        if (block?.type !== "text") throw new Error("no text");
        const { start, end } = block.citations![0]!.span!;
        expect([...block.text].slice(start, end).join("")).toBe(all[at]!.toWellFormed());
      }),
    );
  });
});

test("log probabilities are the tokens', with their mean; bytes that are no text are lost", () => {
  const top = [{ token: "a", logprob: -0.5, bytes: [97] }];
  const { body, losses } = written(
    foreign([
      {
        type: "text",
        text: "a",
        logprobs: [
          { token: "a", logprob: -0.5, bytes: [97], top },
          { token: "\\xf0", logprob: -1.5, bytes: [0xf0], top: [] },
        ],
      },
    ]),
  );
  expect(json(body["candidates"])).toMatchObject([
    {
      avgLogprobs: -1,
      logprobsResult: {
        chosenCandidates: [
          { token: "a", logProbability: -0.5 },
          { token: "\\xf0", logProbability: -1.5 },
        ],
        topCandidates: [{ candidates: [{ token: "a", logProbability: -0.5 }] }, { candidates: [] }],
      },
    },
  ]);
  expect(losses.map(({ code }) => code)).toEqual(["L-LOGPROBS"]);
});

test("the same request gives the same id, another one another", () => {
  const idOf = (requestId: string) =>
    codec.writeAnswer(foreign([]), { ...context(), requestId })["responseId"];
  expect(idOf("a")).toBe(idOf("a")!);
  expect(idOf("a")).not.toBe(idOf("b")!);
  expect(String(idOf("a"))).toMatch(/^[\w-]{20,24}$/);
  expect(ASKED.model).toBe("gemini-x");
});
