import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import type { Message } from "../../../../src/protocol/ir/request.ts";
import { call, prepared, result, say, shape } from "../preparing.ts";

type Row = readonly [
  name: string,
  from: DialectId,
  given: readonly Message[],
  to: DialectId,
  sent: readonly string[],
  lost: readonly string[],
];
const tools = [say("user", "a"), say("assistant", call("1"), call("2"))];
const blank = say("user", " ");

describe("turns", () => {
  test.each<Row>([
    [
      "results of tool messages are one turn of the user at Anthropic",
      "openai",
      [...tools, say("tool", result("1")), say("tool", result("2")), say("user", "go on")],
      "anthropic",
      ["user: a", "assistant: call 1, call 2", "user: =1, =2", "user: go on"],
      ["L-TOOLS-SYNTH tools defaulted"],
    ],
    [
      "and one with what the user says at Bedrock, results first",
      "openai",
      [...tools, say("tool", result("2")), say("tool", result("1")), say("user", "go on")],
      "bedrock",
      ["user: a", "assistant: call 1, call 2", "user: =2, =1, go on"],
      ["L-TOOLS-SYNTH tools defaulted"],
    ],
    [
      "results of a user's turn are messages of their own at Chat",
      "anthropic",
      [...tools, say("user", result("1"), result("2"), "go on")],
      "openai",
      ["user: a", "assistant: call 1, call 2", "tool: =1", "tool: =2", "user: go on"],
      [],
    ],
    [
      "neighbours merge at Bedrock only",
      "openai",
      [
        say("user", "a"),
        say("user", "b"),
        say("assistant", "c"),
        say("assistant", "d"),
        say("user", "e"),
      ],
      "bedrock",
      ["user: a, b", "assistant: c, d", "user: e"],
      [],
    ],
    [
      "the first turn is the user's",
      "openai",
      [say("assistant", "a"), say("user", "b")],
      "bedrock",
      ["user: .", "assistant: a", "user: b"],
      ["L-TURN-ADDED messages defaulted"],
    ],
    [
      "an assistant's last turn is continued by Gemini",
      "anthropic",
      [say("user", "a"), say("assistant", "b")],
      "gemini",
      ["user: a", "assistant: b"],
      [],
    ],
    [
      "and answered by Chat, which is told",
      "anthropic",
      [say("user", "a"), say("assistant", "b")],
      "openai",
      ["user: a", "assistant: b"],
      ["L-PREFILL messages approximated"],
    ],
    [
      "empty text goes where it is refused",
      "openai",
      [say("user", "a", ""), say("assistant", ""), say("user", "b")],
      "bedrock",
      ["user: a, b"],
      ["L-EMPTY messages dropped", "L-EMPTY messages dropped"],
    ],
    [
      "the user's last word stays, however empty",
      "openai",
      [say("user", "a"), say("assistant", "b"), blank],
      "bedrock",
      ["user: a", "assistant: b", "user: ."],
      ["L-EMPTY messages dropped", "L-EMPTY messages defaulted"],
    ],
    ["empty text stays where it may", "anthropic", [blank], "openai", ["user:  "], []],
    [
      "instructions alone are no conversation",
      "openai",
      [say("system", "s")],
      "gemini",
      ["user: ."],
      ["L-TURN-ADDED messages defaulted"],
    ],
  ])("%s", (_name, origin, messages, target, sent, lost) => {
    const { request, lost: told } = prepared({ origin, messages, maxOutputTokens: 9 }, target);
    expect(shape(request)).toEqual([...sent]);
    expect(told).toEqual([...lost]);
  });

  test("a participant's name is told where it has no place", () => {
    const messages = [{ ...say("user", "a"), name: "bob", at: "messages[0]" }];
    const { request, lost } = prepared({ origin: "openai", messages }, "gemini");
    expect(request.messages[0]).not.toHaveProperty("name");
    expect(lost).toEqual(["L-NAME messages[0].name dropped"]);
  });

  test("one plain text is a string", () => {
    const messages = [say("user", "a"), say("assistant", "b", call("1")), say("tool", result("1"))];
    const chat = prepared({ origin: "anthropic", messages }, "openai").request.messages;
    expect(chat.map(({ bareString }) => bareString)).toEqual([true, true, undefined]);
    expect(chat[2]?.blocks[0]).toMatchObject({ bareString: true });
    const messagesApi = prepared({ origin: "openai", messages }, "anthropic").request.messages;
    expect(messagesApi.map(({ bareString }) => bareString)).toEqual([true, undefined, undefined]);
  });
  test("what stood behind a call comes before it at Chat, which is told", () => {
    const after = { type: "text", text: "done", at: "t" } as const;
    const messages = [
      say("user", "a"),
      say("assistant", call("1"), after),
      say("user", result("1")),
    ];
    expect(prepared({ origin: "anthropic", messages }, "openai").lost).toEqual(["L-ORDER t moved"]);
    expect(prepared({ origin: "anthropic", messages }, "gemini").lost).not.toContain(
      "L-ORDER t moved",
    );
  });
  test("a message without content is left out where it is refused", () => {
    const messages = [say("user", "a"), { ...say("assistant"), at: "m" }, say("user", "b")];
    const { lost } = prepared({ origin: "openai", messages }, "gemini");
    expect(lost).toEqual(["L-EMPTY m dropped"]);
  });
  test("a name that is merged into another's turn is told", () => {
    const named = [
      { ...say("user", "a"), name: "x", at: "m0" },
      { ...say("user", "b"), name: "y", at: "m1" },
    ];
    const { request, lost } = prepared({ origin: "responses", messages: named }, "openai", {
      alternation: true,
    });
    expect(shape(request)).toEqual(["user: a, b"]);
    expect(lost).toEqual(["L-NAME m1.name dropped"]);
  });
});
