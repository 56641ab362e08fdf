import { describe, expect, test } from "bun:test";
import { capabilities } from "../../../src/protocol/cohere/capabilities.ts";
import { writeRequest } from "../../../src/protocol/cohere/write-request.ts";
import type { Block } from "../../../src/protocol/ir/block.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import type { IrRequest, Message } from "../../../src/protocol/ir/request.ts";
import { printJson } from "../../../src/wire/exact-json.ts";
import { problemsOfRequest } from "./validity.ts";

const ASKED: IrRequest = {
  origin: "anthropic",
  model: "claude",
  system: [],
  messages: [{ role: "user", blocks: [{ type: "text", text: "hi" }] }],
  tools: undefined,
  sampling: {},
  stream: false,
};
/** What another protocol's request becomes, whether the SDK's schema takes it, and what was lost. */
function write(change: Partial<IrRequest>) {
  const losses: Loss[] = [];
  const report = (loss: Loss) => void losses.push(loss);
  const request = writeRequest({ ...ASKED, ...change }, { model: "command", capabilities, report });
  const body = JSON.parse(printJson(request));
  expect(problemsOfRequest(body)).toEqual([]);
  return { body, losses: losses.map(({ code, path }) => `${code} ${path}`) };
}
const messages = (...all: Message[]) => {
  const { body, losses } = write({ messages: all });
  return { messages: body.messages, documents: body.documents, losses };
};
const user = (...blocks: Block[]): Message => ({ role: "user", blocks });

describe("another protocol's request", () => {
  test("has the target's name of the model, and says whether it is streamed", () =>
    expect(write({}).body).toEqual({
      model: "command",
      messages: [{ role: "user", content: "hi" }],
      stream: false,
    }));
  test("has its knobs under this wire's names", () => {
    const sampling = {
      temperature: 0.7,
      topP: 0.9,
      topK: 5,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
    };
    const logprobs = { enabled: true };
    const { body } = write({ sampling, logprobs, maxOutputTokens: 9, stop: ["x"], seed: 3 });
    expect(body).toMatchObject({
      temperature: 0.7,
      p: 0.9,
      k: 5,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      logprobs: true,
      max_tokens: 9,
      stop_sequences: ["x"],
      seed: 3,
    });
  });
  test.each([
    [
      { mode: "on", budgetTokens: 2000 },
      { type: "enabled", token_budget: 2000 },
    ],
    [{ mode: "adaptive", budgetTokens: -1 }, { type: "enabled" }],
    [{ mode: "off" }, { type: "disabled" }],
  ] as const)("asks for thoughts: %o", (reasoning, thinking) =>
    expect(write({ reasoning }).body.thinking).toEqual(thinking),
  );
  test.each([
    [{ kind: "json" }, { type: "json_object" }],
    [
      { kind: "schema", schema: { type: "object" }, schemaDialect: "json-schema", name: "n" },
      { type: "json_object", json_schema: { type: "object" } },
    ],
    [{ kind: "text" }, undefined],
  ] as const)("asks for a form: %o", (output, format) =>
    expect(write({ output }).body.response_format).toEqual(format),
  );

  test("has what stood before its messages as the first of them", () => {
    const system = [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ] as const;
    expect(write({ system }).body.messages[0]).toEqual({
      role: "system",
      content: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
    });
  });
});

describe("tools", () => {
  const tool = (name: string, strict?: boolean) =>
    ({ kind: "function", name, schemaDialect: "json-schema", strict }) as const;
  test("have a schema even where they take nothing", () =>
    expect(write({ tools: [tool("f")] }).body.tools).toEqual([
      { type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } },
    ]));
  test("are strict all together or not at all", () => {
    expect(write({ tools: [tool("f", true), tool("g", true)] }).body.strict_tools).toBe(true);
    expect(write({ tools: [tool("f", false)] }).body.strict_tools).toBe(false);
    expect(write({ tools: [tool("f")] }).body.strict_tools).toBeUndefined();
    const mixed = write({ tools: [tool("f", true), tool("g")] });
    expect(mixed.body.strict_tools).toBeUndefined();
    expect(mixed.losses).toEqual(["L-STRICT f"]);
  });
  test.each([
    [{ kind: "auto" }, undefined],
    [{ kind: "none" }, "NONE"],
    [{ kind: "required" }, "REQUIRED"],
    [{ kind: "tool", name: "f" }, "REQUIRED"],
    [{ kind: "allowed", mode: "auto", names: ["f"] }, undefined],
  ] as const)("are chosen: %o", (toolChoice, word) => {
    expect(write({ tools: [tool("f")], toolChoice }).body.tool_choice).toBe(word);
    expect(write({ toolChoice }).body.tool_choice).toBeUndefined(); // b-R54: not without tools.
  });
  test("that this wire does not know are reported", () => {
    const hosted = { kind: "hosted", vendor: "openai", type: "web", raw: {} } as const;
    expect(write({ tools: [tool("f"), hosted] }).losses).toEqual(["L-HOSTED tools[1]"]);
  });
});

describe("a history", () => {
  test("of calls has their arguments as text, and each result in a message of its own", () => {
    const { messages: all } = messages(
      {
        role: "assistant",
        blocks: [
          { type: "reasoning", text: "plan", planOf: "tool" },
          { type: "text", text: "a" },
          { type: "tool_call", callId: "1", name: "f", argsValue: { x: 1 } },
          { type: "tool_call", callId: "2", name: "f", args: "" },
        ],
      },
      {
        role: "user",
        blocks: [
          { type: "tool_result", callId: "1", content: [{ type: "text", text: "r" }] },
          {
            type: "tool_result",
            callId: "2",
            content: [{ type: "json", value: { y: 2 }, id: "d" }],
          },
          { type: "text", text: "go on" },
        ],
      },
    );
    const call = (id: string, args: string) => ({
      id,
      type: "function",
      function: { name: "f", arguments: args },
    });
    expect(all).toEqual([
      {
        role: "assistant",
        tool_plan: "plan",
        content: "a",
        tool_calls: [call("1", '{"x":1}'), call("2", "{}")],
      },
      { role: "tool", tool_call_id: "1", content: "r" },
      {
        role: "tool",
        tool_call_id: "2",
        content: [{ type: "document", document: { id: "d", data: { y: 2 } } }],
      },
      { role: "user", content: "go on" },
    ]);
  });
  test("has results of every kind as this wire spells them", () => {
    const result = (content: Extract<Block, { type: "tool_result" }>["content"]): unknown =>
      messages({ role: "tool", blocks: [{ type: "tool_result", callId: "1", content }] })
        .messages[0].content;
    expect(result([])).toBe("");
    expect(result([{ type: "json", value: [1] }])).toBe("[1]");
    const found = [{ type: "text", text: "t" } as const];
    expect(result([{ type: "search_result", source: "u", title: "T", content: found }])).toEqual([
      { type: "document", document: { id: "u", data: { title: "T", text: "t", url: "u" } } },
    ]);
  });
  test("has pictures where a user may send them", () => {
    const image = (source: Extract<Block, { type: "media" }>["source"], mime?: string): Block => ({
      type: "media",
      kind: "image",
      source,
      mime,
      detail: "low",
    });
    const { messages: all, losses } = messages(
      user(
        image({ kind: "base64", data: "AAAA" }, "image/webp"),
        image({ kind: "url", url: "https://a.test/b" }),
        image({ kind: "reference", vendor: "openai", raw: { file_id: "f" } }),
      ),
    );
    expect(all[0].content).toEqual([
      { type: "image_url", image_url: { url: "data:image/webp;base64,AAAA", detail: "low" } },
      { type: "image_url", image_url: { url: "https://a.test/b", detail: "low" } },
    ]);
    expect(losses).toEqual(["L-FILEID messages"]);
  });
  test("has documents of text beside the messages", () => {
    const source = { kind: "text", text: "t" } as const;
    const { documents, losses } = messages(
      user({ type: "text", text: "q" }, { type: "media", kind: "document", title: "T", source }),
    );
    expect(documents).toEqual([{ data: { title: "T", text: "t" } }]);
    expect(losses).toEqual([]);
  });
  test("reports what has no place, and where it stood", () => {
    const { losses } = messages(
      user(
        { type: "text", text: "q" },
        { type: "opaque", vendor: "openai", wireType: "x", raw: {}, at: "messages[0].content[1]" },
      ),
    );
    expect(losses).toEqual(["L-UNKNOWN-BLOCK messages[0].content[1]"]);
  });
});
