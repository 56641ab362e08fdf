import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { ToolCallBlock } from "../../../src/protocol/ir/block.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { type CallMending, mendCalls } from "../../../src/protocol/translate/answer-passes.ts";
import { callIds } from "../../../src/protocol/translate/call-ids.ts";
import { callPass } from "../../../src/protocol/translate/stream-passes.ts";
import { accumulate, eventsOf, whole } from "./accumulate.ts";
import { cuts } from "./arbitraries.ts";

function mendingOf(client: DialectId, losses: Loss[] = []): CallMending {
  return {
    toolNames: new Map([["look_1", "look.up"]]),
    unwrapped: new Set(["patch_1"]),
    ids: callIds(client, "req-1"),
    report: (loss) => void losses.push(loss),
  };
}

const call: fc.Arbitrary<ToolCallBlock> = fc.record(
  {
    type: fc.constant("tool_call" as const),
    name: fc.constantFrom("look_1", "patch_1", "other"),
    callId: fc.constantFrom("a", "b", ""),
    args: fc.oneof(
      fc.constantFrom("", "{}", '{"input":""}', '{"input":7}', "not json", '["x"]'),
      fc.string({ unit: "binary" }).map((input) => JSON.stringify({ input })),
    ),
  },
  { requiredKeys: ["type", "name", "args"] },
);
const answer: fc.Arbitrary<IrAnswer> = fc.array(call, { maxLength: 6 }).map((blocks) => ({
  origin: "gemini",
  candidates: [{ index: 0, blocks, stop: { kind: "tool_call" as const } }],
}));
const callsOf = ({ candidates }: IrAnswer) =>
  candidates.flatMap(({ blocks }) => blocks.filter((block) => block.type === "tool_call"));

test.each(DIALECT_IDS)("for %s a stream's calls are those of the whole answer", (client) => {
  fc.assert(
    fc.property(
      answer,
      cuts,
      fc.constantFrom("delta" as const, "final" as const),
      (given, at, proofs) => {
        const early: Loss[] = [];
        const late: Loss[] = [];
        const pass = callPass(mendingOf(client, late));
        const out = eventsOf(given, { cuts: at, proofs }).flatMap((event) => pass.feed(event));
        expect(accumulate(out)).toEqual(whole(mendCalls(given, mendingOf(client, early))));
        expect(late).toEqual(early);
      },
    ),
  );
});

describe("a call", () => {
  test("whose upstream gave no id, or one twice, gets one of its own in the client's form", () => {
    fc.assert(
      fc.property(answer, fc.constantFrom(...DIALECT_IDS), (given, client) => {
        const ids = callsOf(mendCalls(given, mendingOf(client))).map(({ callId }) => callId);
        if (client === "gemini")
          return expect(ids).toEqual(callsOf(given).map((each) => each.callId));
        expect(new Set(ids).size).toBe(ids.length);
        const prefix = { anthropic: "toolu_", bedrock: "tooluse_" }[client as string] ?? "call_";
        const form = new RegExp(`^(a|b|${prefix}[0-9a-f]{32})$`);
        for (const id of ids) expect(id).toMatch(form);
        expect(callsOf(mendCalls(given, mendingOf(client))).map(({ callId }) => callId)).toEqual(
          ids,
        );
      }),
    );
  });

  test("of another request, candidate or place has another id", () => {
    const made = new Set<string | undefined>();
    for (const request of ["r1", "r2"]) {
      const ids = callIds("openai", request);
      for (const candidate of [0, 0, 1]) made.add(ids.next(candidate, undefined));
    }
    expect(made.size).toBe(6);
  });

  test("goes by its caller's name", () => {
    const given: IrAnswer = {
      origin: "openai",
      candidates: [
        {
          index: 0,
          blocks: [{ type: "tool_call", callId: "a", name: "look_1", argsValue: { a: 1 } }],
        },
      ],
    };
    expect(callsOf(mendCalls(given, mendingOf("anthropic")))).toEqual([
      { type: "tool_call", callId: "a", name: "look.up", argsValue: { a: 1 } },
    ]);
  });
});

describe("a freeform tool's call", () => {
  const whole = (fields: Partial<ToolCallBlock>): IrAnswer => ({
    origin: "gemini",
    candidates: [
      { index: 0, blocks: [{ type: "tool_call", callId: "a", name: "patch_1", ...fields }] },
    ],
  });
  const free = (args: string) => ({
    type: "tool_call",
    callId: "a",
    name: "patch_1",
    args,
    argsValue: undefined,
    freeform: true,
  });

  test("is free text again, from JSON text or a value", () => {
    const text = 'line "one"\n😀';
    const wrapped = { input: text };
    const losses: Loss[] = [];
    const mended = (fields: Partial<ToolCallBlock>) =>
      callsOf(mendCalls(whole(fields), mendingOf("openai", losses)))[0];
    expect(mended({ args: JSON.stringify(wrapped) })).toEqual(free(text) as ToolCallBlock);
    expect(mended({ argsValue: wrapped })).toEqual(free(text) as ToolCallBlock);
    expect(mended({ args: "" })).toEqual(free("") as ToolCallBlock);
    expect(losses).toEqual([]);
  });

  test("that its model did not wrap is handed on as it is, and that is told", () => {
    const losses: Loss[] = [];
    const mended = callsOf(mendCalls(whole({ args: '{"inptu":1}' }), mendingOf("openai", losses)));
    expect(mended[0]).toEqual(free('{"inptu":1}') as ToolCallBlock);
    expect(losses).toEqual([
      { code: "L-ARGS-INVALID", path: "candidates[0].blocks[0]", action: "approximated" },
    ]);
  });

  test("shows nothing of its wrapping in a stream", () => {
    const pass = callPass(mendingOf("openai"));
    const start = pass.feed({
      t: "block_start",
      c: 0,
      b: 0,
      block: { type: "tool_call", callId: "a", name: "patch_1", args: "" },
    });
    expect(start).toEqual([{ t: "block_start", c: 0, b: 0, block: free("") }] as IrEvent[]);
    const args = (text: string): IrEvent => ({ t: "delta", c: 0, b: 0, d: { k: "args", text } });
    expect(pass.feed(args('{"inp'))).toEqual([]);
    expect(pass.feed(args('ut":"x\\ny"}'))).toEqual([]);
    expect(pass.feed({ t: "block_stop", c: 0, b: 0 })).toEqual([
      args("x\ny"),
      { t: "block_stop", c: 0, b: 0, final: undefined },
    ]);
  });
});
