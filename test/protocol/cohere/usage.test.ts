import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Chunk } from "../../../src/core/units.ts";
import {
  readIrUsage,
  readUsage,
  usageOf,
  writeIrUsage,
} from "../../../src/protocol/cohere/usage.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { haveRecordings, NO_RECORDINGS, recordingsOf } from "../../faultd/recordings.ts";

const utf8 = (text: string): Chunk => new TextEncoder().encode(text);
const read = (body: unknown) => readUsage(utf8(JSON.stringify(body)));
const counts = (inputTokens: number, outputTokens: number, cached = 0, reasoning = 0) => ({
  inputTokens,
  outputTokens,
  cacheReadTokens: cached,
  reasoningTokens: reasoning,
});

describe.skipIf(!haveRecordings)(`recordings ${haveRecordings ? "" : NO_RECORDINGS}`, () => {
  test("each whole answer tells its usage, its pictures and its thoughts among it", () => {
    const answers = recordingsOf("cohere").filter(({ streamed }) => !streamed);
    const used = new Map(answers.map(({ name, response }) => [name, readUsage(response.slice())]));
    expect([...used.values()]).not.toContain(undefined);
    const of = (name: string) => used.get(name);
    expect(of("langchain-cohere--test_invoke")).toEqual(counts(70, 28));
    expect(of("langchain-cohere--test_invoke_with_multiple_images")).toEqual(counts(1019, 65, 480));
    expect(
      of(
        "ruby-llm--chat_citations_with_cohere_command-a-plus-05-2026_cites_text_documents_in_responses",
      ),
    ).toEqual(counts(510, 99, 144, 29));
  });
});

describe("usage", () => {
  test.each<[string, unknown, object | undefined]>([
    [
      "of a chat",
      { usage: { tokens: { input_tokens: 9, output_tokens: 4 }, cached_tokens: 8 } },
      counts(9, 4, 8),
    ],
    [
      "that is billed only",
      { usage: { billed_units: { input_tokens: 9, output_tokens: 4 } } },
      counts(9, 4),
    ],
    [
      "of embed",
      { embeddings: { float: [[1, 2]] }, meta: { billed_units: { input_tokens: 7 } } },
      counts(7, 0),
    ],
    ["of embedded pictures", { meta: { billed_units: { image_tokens: 7 } } }, counts(7, 0)],
    ["of rerank, in searches", { meta: { billed_units: { search_units: 1 } } }, undefined],
    ["that says nothing", { usage: {} }, undefined],
    ["that is null", { usage: null }, undefined],
    ["inside the message", { message: { usage: { tokens: { input_tokens: 1 } } } }, undefined],
    ["of nonsense", { usage: { tokens: { input_tokens: -1, output_tokens: "4" } } }, undefined],
    ["of too much", { usage: { tokens: { input_tokens: 1e10, output_tokens: 1 } } }, counts(0, 1)],
  ])("%s", (_, body, expected) => expect(read(body)).toEqual(expected as ReturnType<typeof read>));
  test("of what is no JSON is not known", () =>
    expect(readUsage(utf8('{"usage":'))).toBeUndefined());
  test("never has a part larger than the whole", () => {
    const number = fc.oneof(fc.nat(), fc.integer(), fc.double(), fc.constant(null));
    const some = fc.record({
      input_tokens: number,
      output_tokens: number,
      reasoning_tokens: number,
    });
    fc.assert(
      fc.property(some, some, number, (tokens, billed_units, cached_tokens) => {
        const usage = usageOf({ tokens, billed_units, cached_tokens });
        if (usage === undefined) return;
        expect(usage.cacheReadTokens).toBeLessThanOrEqual(usage.inputTokens);
        expect(usage.reasoningTokens).toBeLessThanOrEqual(usage.outputTokens);
      }),
    );
  });
});

describe("in the representation", () => {
  const losses: Loss[] = [];
  const report = (loss: Loss) => losses.push(loss);
  test("Cohere's own is written as it came, and nothing is reported", () => {
    const raw = { tokens: { input_tokens: 9, x: 1 }, billed_units: { search_units: 2 } };
    expect(writeIrUsage(readIrUsage(raw), report)).toEqual(raw);
    expect(losses).toEqual([]);
  });
  test("another's is billed as it was used, and that is reported", () => {
    const usage = { inputTotal: 9, cacheRead: 5, outputTotal: 4, reasoning: 1, raw: {} };
    expect(writeIrUsage(usage, report)).toEqual({
      billed_units: { input_tokens: 9, output_tokens: 4 },
      tokens: { input_tokens: 9, output_tokens: 4, reasoning_tokens: 1 },
      cached_tokens: 5,
    });
    expect(losses.splice(0).map(({ code }) => code)).toEqual(["L-BILLED"]);
  });
  test("a count nobody told is 0 and reported, for readers want one", () => {
    expect(writeIrUsage({ outputTotal: 4, raw: {} }, report)).toEqual({
      billed_units: { input_tokens: 0, output_tokens: 4 },
      tokens: { input_tokens: 0, output_tokens: 4 },
    });
    expect(writeIrUsage(undefined, report)).toMatchObject({ tokens: { output_tokens: 0 } });
    expect(losses.splice(0).map(({ code }) => code)).toEqual(["L-USAGE", "L-BILLED", "L-USAGE"]);
  });
});
