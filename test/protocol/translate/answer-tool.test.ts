import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { OutputFormat } from "../../../src/protocol/ir/request.ts";
import { answerPass } from "../../../src/protocol/translate/answer-pass.ts";
import { unwrapAnswer } from "../../../src/protocol/translate/answer-tool.ts";
import { accumulate, eventsOf, whole } from "./accumulate.ts";
import { cuts } from "./arbitraries.ts";
import { prepared, say } from "./preparing.ts";

const call = (name: string, args: unknown): Block => ({
  ...{ type: "tool_call", callId: "c", name, args: JSON.stringify(args) },
});
const answerOf = (...blocks: readonly Block[]): IrAnswer => ({
  ...{ origin: "anthropic", usage: { inputTotal: 3, outputTotal: 4, raw: {} } },
  candidates: [{ index: 0, blocks, stop: { kind: "tool_call" } }],
});

const block = fc.oneof(
  fc.constantFrom<Block>(
    { type: "text", text: "before" },
    { type: "text", text: "" },
    { type: "reasoning", text: "hm" },
    call("other", { a: 1 }),
  ),
  fc.constant<Block>({ type: "tool_call", callId: "c", name: "answer", args: "" }),
  fc.jsonValue().map((value) => call("answer", { value })),
);
const tool = fc.constantFrom(
  { name: "answer", property: undefined },
  { name: "answer", property: "value" },
);

const given = fc.array(block, { maxLength: 4 });
const where = fc.constantFrom("start", "final");

test("a stream comes to what the whole answer does, however it is cut into deltas", () => {
  fc.assert(
    fc.property(given, tool, cuts, where, (blocks, answerTool, pieces, proofs) => {
      // A call beside both texts and an answer comes in a stream before it can be known.
      fc.pre(!(isAnswered(blocks) && blocks.some(isOther)));
      const answer = answerOf(...blocks);
      const pass = answerPass(answerTool);
      const events = eventsOf(answer, { cuts: pieces, proofs }).flatMap((event) =>
        pass.feed(event),
      );
      expect(accumulate([...events, ...pass.end()])).toEqual(
        whole(unwrapAnswer(answer, answerTool)),
      );
    }),
  );
});
const isAnswered = (blocks: readonly Block[]) =>
  blocks.some((each) => each.type === "tool_call" && each.name === "answer");
const isOther = (each: Block) => each.type === "tool_call" && each.name === "other";

test("the text of the answer goes on as it comes, not when it is over", () => {
  const pass = answerPass({ name: "answer", property: undefined });
  const begun = call("answer", {});
  pass.feed({ t: "block_start", c: 0, b: 0, block: { ...begun, args: "" } as Block });
  for (const text of ['{"a"', ":1", "}"]) {
    const event: IrEvent = { t: "delta", c: 0, b: 0, d: { k: "args", text } };
    expect(pass.feed(event)).toEqual([{ t: "delta", c: 0, b: 0, d: { k: "text", text } }]);
  }
});

describe("a schema as a tool", () => {
  const format = (schema: object, rest: object = {}): OutputFormat =>
    ({ kind: "schema", schema, schemaDialect: "json-schema", ...rest }) as OutputFormat;
  const ask = (output: OutputFormat, rest: object = {}) =>
    prepared({ origin: "openai", messages: [say("user", "hi")], output, ...rest }, "anthropic", {
      schemaTool: true,
    });

  test("of no object is the one property of one, and what it refers to stays at the root", () => {
    const given = { type: "array", items: { $ref: "#/$defs/a" }, $defs: { a: { type: "string" } } };
    const { request, answerTool } = ask(format(given));
    expect(answerTool).toEqual({ name: "response", property: "value" });
    expect(request.tools?.[0]).toMatchObject({
      parameters: {
        ...{ type: "object", properties: { value: given }, required: ["value"] },
        ...{ additionalProperties: false, $defs: given.$defs },
      },
    });
  });

  test("has the schema's name, unless a tool of the caller's has it", () => {
    const tools = [{ kind: "function", name: "city", schemaDialect: "json-schema" }];
    const named = format({ type: "object" }, { name: "city" });
    expect(ask(named).answerTool?.name).toBe("city");
    expect(ask(named, { tools }).answerTool?.name).toBe("city_answer");
  });

  test.each([{ kind: "required" }, { kind: "tool", name: "f" }])(
    "gives way to a call the caller forces: %p",
    (toolChoice) => {
      const tools = [{ kind: "function", name: "f", schemaDialect: "json-schema" }];
      const { request, answerTool, lost } = ask(format({ type: "object" }), { tools, toolChoice });
      expect(answerTool).toBeUndefined();
      expect(request.tools).toHaveLength(1);
      expect(lost).toContain("L-SCHEMA-TOOL response_format dropped");
    },
  );

  test("cannot be forced while the model thinks, and that is told", () => {
    const reasoning = { mode: "on", budgetTokens: 2048 };
    const { request, lost } = ask(format({ type: "object" }), { reasoning });
    expect(request.toolChoice).toEqual({ kind: "auto" });
    expect(lost).toContain("L-TOOLCHOICE-THINKING response_format approximated");
  });

  test("is for the two wires of Claude alone", () => {
    const given = { origin: "openai", output: format({ type: "object" }) } as const;
    for (const target of ["gemini", "responses", "cohere"] as const) {
      expect(prepared(given, target, { schemaTool: true }).answerTool).toBeUndefined();
    }
    expect(prepared(given, "anthropic").answerTool).toBeUndefined();
  });
});
