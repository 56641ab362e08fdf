import { describe, expect, test } from "bun:test";
import { Rejection } from "../../../src/core/rejection.ts";
import type { JsonObject } from "../../../src/protocol/ir/json.ts";
import { readRequest } from "../../../src/protocol/responses/read-request.ts";
import { askedOf } from "./recorded.ts";

const input = (...items: JsonObject[]) => askedOf({ model: "m", input: items }).messages;

describe("an input list", () => {
  test("one message for what each speaks, one for a run of the assistant's items", () => {
    const messages = input(
      { role: "developer", content: "d" },
      { role: "user", content: [{ type: "input_text", text: "u" }] },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "e" },
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        phase: "commentary",
        content: [{ type: "output_text", text: "a" }],
      },
      { type: "web_search_call", id: "ws_1", status: "completed" },
      { type: "function_call", id: "fc_1", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "r" },
      { role: "assistant", content: "b" },
    );
    expect(
      messages.map(({ role, at, blocks }) => [role, at, blocks.map(({ type }) => type).join()]),
    ).toEqual([
      ["developer", "input[0]", "text"],
      ["user", "input[1]", "text"],
      ["assistant", "input[2]", "reasoning,text,hosted_call,tool_call"],
      ["tool", "input[6]", "tool_result"],
      ["assistant", "input[7]", "text"],
    ]);
    expect(messages[2]!.blocks[0]).toMatchObject({
      sealed: { value: "e", family: "openai" },
      id: "rs_1",
    });
    expect(messages[2]!.blocks[1]).toMatchObject({
      id: "msg_1",
      phase: "commentary",
      at: "input[3].content[0]",
    });
    expect(messages[4]).toMatchObject({ bareString: true });
  });
  test("what says nothing leaves nothing to report", () => {
    const [message] = input({ type: "message", role: "user", content: "x", status: "completed" });
    const [run] = input({
      type: "message",
      id: "msg_1",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: "a", annotations: [], logprobs: [] }],
    });
    expect([message!.ext, message!.blocks[0]!.ext, run!.ext, run!.blocks[0]!.ext]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
  test("a reference to state and an unknown item are opaque", () => {
    const [run] = input({ type: "item_reference", id: "msg_1" }, { type: "of_next_year" });
    expect(run!.blocks).toMatchObject([
      { type: "opaque", wireType: "item_reference" },
      { type: "opaque", wireType: "of_next_year" },
    ]);
  });
  test.each([
    ["web_search_call", "hosted_call"],
    ["file_search_call", "hosted_call"],
    ["computer_call", "hosted_call"],
    ["code_interpreter_call", "hosted_call"],
    ["image_generation_call", "hosted_call"],
    ["local_shell_call", "hosted_call"],
    ["shell_call", "hosted_call"],
    ["apply_patch_call", "hosted_call"],
    ["tool_search_call", "hosted_call"],
    ["mcp_call", "hosted_call"],
    ["mcp_list_tools", "hosted_call"],
    ["mcp_approval_request", "hosted_call"],
    ["mcp_approval_response", "hosted_result"],
    ["computer_call_output", "hosted_result"],
    ["local_shell_call_output", "hosted_result"],
    ["shell_call_output", "hosted_result"],
    ["apply_patch_call_output", "hosted_result"],
    ["tool_search_output", "hosted_result"],
    ["compaction", "compaction"],
  ])("%s is a %s, carried whole", (type, kind) => {
    const item = { type, id: "x_1", call_id: "c", some: { thing: 1 } };
    const [message] = input(item);
    expect(message!.blocks).toMatchObject([{ type: kind, vendor: "responses", raw: item }]);
    expect(message!.role).toBe(kind === "hosted_result" ? "tool" : "assistant");
  });
  test("media are what they are", () => {
    const [user] = input({
      role: "user",
      content: [
        { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "low" },
        { type: "input_image", image_url: "data:text/plain;charset=x,a%20b" },
        { type: "input_file", file_id: "file-1" },
        { type: "input_file", file_data: "data:application/pdf;base64,AA", filename: "a.pdf" },
      ],
    });
    expect(user!.blocks).toMatchObject([
      { kind: "image", mime: "image/png", detail: "low", source: { kind: "base64", data: "AAAA" } },
      { kind: "image", mime: "text/plain", source: { kind: "base64", data: "YSBi" } },
      {
        kind: "document",
        source: { kind: "reference", vendor: "responses", raw: { file_id: "file-1" } },
      },
      { kind: "document", mime: "application/pdf", filename: "a.pdf" },
    ]);
  });
  test.each<[unknown, string]>([
    [5, "input"],
    [{}, "input"],
    [["x"], "input[0]"],
    [[{ role: "user", content: 5 }], "input[0].content"],
    [
      [
        { role: "user", content: "x" },
        { role: "user", content: ["x"] },
      ],
      "input[1].content",
    ],
  ])("%j is refused by its path", (given, param) => {
    const read = readRequest({ model: "m", input: given as never }, { model: "m", stream: false });
    expect(read).toBeInstanceOf(Rejection);
    expect((read as Rejection).reason).toMatchObject({ kind: "malformed", param });
  });
});

describe("the rest of it", () => {
  test("has the names of the representation", () => {
    expect(
      askedOf({
        model: "m",
        instructions: "i",
        input: "x",
        reasoning: { effort: "low", summary: "auto" },
        include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
        top_logprobs: 2,
        text: {
          format: { type: "json_schema", name: "n", schema: {}, strict: true },
          verbosity: "low",
        },
        tools: [
          { type: "function", name: "f", parameters: {}, strict: null },
          { type: "mcp", server_label: "s" },
        ],
        tool_choice: "required",
        safety_identifier: "u",
        service_tier: "flex",
        store: true,
        previous_response_id: "resp_1",
      }),
    ).toMatchObject({
      system: [{ type: "text", text: "i", at: "instructions" }],
      inputBareString: true,
      messages: [{ role: "user", bareString: true, blocks: [{ text: "x" }] }],
      reasoning: { mode: "on", effort: "low", summary: "auto", show: "summary", wantSealed: true },
      logprobs: { enabled: true, top: 2 },
      output: { kind: "schema", name: "n", strict: true },
      verbosity: "low",
      tools: [
        { kind: "function", name: "f", at: "tools[0]" },
        { kind: "hosted", type: "mcp" },
      ],
      toolChoice: { kind: "required" },
      endUser: "u",
      tier: "flex",
      ext: { responses: { store: true, previous_response_id: "resp_1" } },
    });
  });
  test("a request that asks for a seal only does not ask for reasoning", () => {
    const asked = askedOf({ model: "m", input: "x", include: ["reasoning.encrypted_content"] });
    expect(asked.reasoning).toEqual({ mode: "on", wantSealed: true, at: "include" });
    expect(asked.ext).toBeUndefined();
  });
  test("no effort is no thinking", () => {
    expect(
      askedOf({ model: "m", input: "x", reasoning: { effort: "none" } }).reasoning,
    ).toMatchObject({
      mode: "off",
    });
  });
  test("the model and the stream of the path stand in", () => {
    expect(readRequest({ input: "x" }, { model: "p", stream: true })).toMatchObject({
      model: "p",
      stream: true,
    });
  });
});
