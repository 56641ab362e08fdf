import { describe, expect, test } from "bun:test";
import type { IrAnswer, Stop, StopKind } from "../../../src/protocol/ir/answer.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { writeAnswer } from "../../../src/protocol/responses/write-answer.ts";
import { askedOf, plain, telling } from "./recorded.ts";

const usage = { inputTotal: 1, outputTotal: 2, raw: {} };
function written(change: Partial<IrAnswer>) {
  const { context, losses } = telling();
  const answer: IrAnswer = { origin: "gemini", candidates: [], usage, ...change };
  return { body: plain(writeAnswer(answer, context)) as JsonObject, losses };
}
const of = (blocks: readonly Block[], stop: Stop = { kind: "end" }) =>
  written({ candidates: [{ index: 0, blocks, stop }] });
const outputOf = (...blocks: Block[]) => of(blocks).body["output"] as JsonObject[];

describe("why it stopped: protocols.md 4.2", () => {
  test.each<[StopKind, string, string | null, "exact" | "degraded" | "semantic"]>([
    ["end", "completed", null, "exact"],
    ["tool_call", "completed", null, "exact"],
    ["length", "incomplete", "max_output_tokens", "exact"],
    ["context_window", "incomplete", "max_output_tokens", "degraded"],
    ["stop_sequence", "completed", null, "degraded"],
    ["pause", "completed", null, "semantic"],
    ["content_filter", "incomplete", "content_filter", "exact"],
    ["guardrail", "incomplete", "content_filter", "degraded"],
    ["recitation", "incomplete", "content_filter", "degraded"],
    ["malformed_tool_call", "failed", null, "exact"],
    ["malformed_output", "failed", null, "exact"],
    ["error", "failed", null, "exact"],
    ["timeout", "failed", null, "exact"],
    ["steered", "incomplete", "steered", "exact"],
    ["compaction", "incomplete", "steered", "exact"],
    ["continuation", "incomplete", "steered", "exact"],
    ["other", "completed", null, "degraded"],
  ])("%s is %s because of %s: %s", (kind, status, reason, loss) => {
    const { body, losses } = of([{ type: "text", text: "x" }], { kind, raw: "RAW" });
    expect(body).toMatchObject({ status, incomplete_details: reason === null ? null : { reason } });
    expect(body["error"] === null).toBe(status !== "failed");
    const expected = loss === "exact" ? [] : [{ code: "L-STOP", path: "stop", detail: "RAW" }];
    expect(losses).toMatchObject(expected);
    expect(losses[0]?.severity).toBe(loss === "semantic" ? "semantic" : undefined);
  });
  test("a refusal is a part, also where it was a stop only", () => {
    const { body } = of([{ type: "text", text: "I" }], { kind: "refusal", detail: "no" });
    expect(body).toMatchObject({
      status: "completed",
      output: [
        {
          content: [
            { type: "output_text", text: "I" },
            { type: "refusal", refusal: "no" },
          ],
        },
      ],
    });
  });
  test("a blocked prompt is an empty answer that was filtered", () => {
    const { body, losses } = written({ blocked: { reason: "SAFETY" } });
    expect(body).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
      output: [],
    });
    expect(losses).toEqual([]);
  });
});

describe("what it holds", () => {
  test("every member the SDK's type of a response wants", () => {
    const { body } = of([]);
    const wanted =
      "id access_programs created_at error incomplete_details instructions metadata model object " +
      "output parallel_tool_calls temperature tool_choice tools top_p background completed_at " +
      "max_output_tokens max_tool_calls previous_response_id prompt_cache_key reasoning " +
      "safety_identifier service_tier status text top_logprobs truncation usage";
    for (const name of wanted.split(" ")) expect(body).toHaveProperty(name);
    expect(body).toMatchObject({ store: false, truncation: "disabled", model: "m", metadata: {} });
  });
  test("text that was cut for its citations is one part, and they find their place in it", () => {
    const web = (url: string) =>
      ({ place: { kind: "web" }, sources: [{ url, title: "T" }] }) as const;
    const output = outputOf(
      { type: "text", text: "🌍 is " },
      { type: "text", text: "round", citations: [web("https://a.test")] },
      {
        type: "text",
        text: " and blue",
        citations: [{ ...web("https://b.test"), span: { start: 12, end: 16, of: "message" } }],
      },
    );
    expect(output).toMatchObject([
      {
        content: [
          {
            text: "🌍 is round and blue",
            annotations: [
              { url: "https://a.test", start_index: 5, end_index: 10 },
              { url: "https://b.test", start_index: 12, end_index: 16 },
            ],
          },
        ],
      },
    ]);
  });
  test("an empty answer holds no item", () => {
    expect(outputOf({ type: "text", text: "" }, { type: "reasoning", text: "" })).toEqual([]);
  });
  test.each<[Block, string]>([
    [{ type: "hosted_result", vendor: "anthropic", toolType: "x", raw: {} }, "L-HOSTED"],
    [{ type: "opaque", vendor: "gemini", wireType: "x", raw: {} }, "L-UNKNOWN-BLOCK"],
    [{ type: "media", kind: "image", source: { kind: "base64", data: "AA" } }, "L-MODALITY"],
    [{ type: "text", text: "x", citations: [{ place: { kind: "page" }, quoted: "q" }] }, "L-CITE"],
    [
      {
        type: "text",
        text: "x",
        citations: [{ quoted: "q", sources: [{ url: "https://a.test" }] }],
      },
      "L-CITE",
    ],
  ])("%j is reported", (block, code) => {
    const { losses } = of([block]);
    expect(losses).toMatchObject([{ code, path: "candidates[0].blocks[0]" }]);
  });
  test("a second candidate and missing counts are reported", () => {
    const candidate = (index: number) => ({ index, blocks: [], stop: { kind: "end" } }) as const;
    const { losses } = written({ candidates: [candidate(0), candidate(1)], usage: undefined });
    expect(losses.map(({ code }) => code)).toEqual(["L-N", "L-USAGE"]);
  });
});

test("its own answer comes back without the request's echo, whatever was asked", () => {
  const { context } = telling(askedOf({ model: "other", input: "y", temperature: 1 }));
  const own: IrAnswer = { origin: "responses", id: "resp_1", candidates: [] };
  expect(plain(writeAnswer(own, context))).toEqual({ id: "resp_1", object: "response" });
});
