import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../src/core/ids.ts";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { reportWords, wordPass } from "../../../src/protocol/translate/answer-words.ts";

function answered(upstream: DialectId, onBlock: JsonObject, onAnswer: JsonObject = {}): IrAnswer {
  return {
    origin: upstream,
    ext: { [upstream]: onAnswer },
    candidates: [{ index: 0, blocks: [{ type: "text", text: "a", ext: { [upstream]: onBlock } }] }],
  };
}

function eventsOf({ ext, candidates }: IrAnswer): readonly IrEvent[] {
  const [block] = candidates[0]!.blocks;
  return [
    { t: "start", ext },
    { t: "block_start", c: 0, b: 0, block: block! },
  ];
}

/** What is reported of an answer, which is the same whether it is whole or streams. */
function lost(upstream: DialectId, answer: IrAnswer): readonly string[] {
  const losses: Loss[] = [];
  reportWords(answer, { upstream, report: (loss) => void losses.push(loss) });
  const streamed: Loss[] = [];
  const pass = wordPass({ upstream, report: (loss) => void streamed.push(loss) });
  for (const event of eventsOf(answer)) expect(pass?.feed(event) ?? [event]).toEqual([event]);
  expect(streamed).toEqual(losses);
  return losses.map(({ code, path }) => `${code} ${path}`);
}

describe("words that only their own wire has", () => {
  test("are reported once, however often they are said", () => {
    const sources = { citations: ["https://a"] };
    expect(lost("openai", answered("openai", sources, sources))).toEqual(["L-CITE citations"]);
  });
  test("are found inside of others", () => {
    const proof = { extra_content: { google: { thought_signature: "x" } } };
    const reported = ["L-REASONING-FOREIGN thought_signature"];
    expect(lost("openai", answered("openai", proof))).toEqual(reported);
    const chunks = { groundingMetadata: [{ webSearchQueries: ["a"] }] };
    expect(lost("gemini", answered("gemini", {}, chunks))).toEqual(["L-CITE webSearchQueries"]);
  });
  test("are not missed where they say nothing, or by their own reader", () => {
    const empty = { citations: [], search_results: null, thought_signature: "" };
    expect(lost("openai", answered("openai", empty))).toEqual([]);
    const read = { groundingSupports: [{ groundingChunkIndices: [0] }] };
    expect(lost("gemini", answered("gemini", {}, read))).toEqual([]);
    const unread = { groundingSupports: [{ segment: { text: "a" } }] };
    expect(lost("gemini", answered("gemini", {}, unread))).toEqual(["L-CITE groundingSupports"]);
  });
  test("are looked for where a wire has such words", () => {
    expect(wordPass({ upstream: "cohere", report: () => {} })).toBeUndefined();
    expect(lost("anthropic", answered("anthropic", { citations: ["x"] }))).toEqual([]);
  });
  test("are not searched for without end", () => {
    let deep: JsonObject = { citations: ["x"] };
    for (let depth = 0; depth < 10_000; depth++) deep = { deep };
    expect(lost("openai", answered("openai", deep))).toEqual([]);
  });
});
