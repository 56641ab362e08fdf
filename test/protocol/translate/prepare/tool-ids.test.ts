import { describe, expect, test } from "bun:test";
import type { Message } from "../../../../src/protocol/ir/request.ts";
import { call, prepared, result, say, shape } from "../preparing.ts";

const idsOf = (messages: readonly Message[]): readonly unknown[] =>
  messages.flatMap(({ blocks }) =>
    blocks.flatMap((block) =>
      block.type === "tool_call" || block.type === "tool_result" ? [block.callId] : [],
    ),
  );

describe("ids of tool calls", () => {
  const turn = (id: string | undefined, name?: string): readonly Message[] => [
    say("assistant", call(id, name)),
    say("tool", result(id, "ok", id === undefined ? (name ?? "f") : undefined)),
  ];
  const user = say("user", "hi");

  test("that fit stay", () => {
    const { request } = prepared(
      { origin: "openai", messages: [user, ...turn("call_1")] },
      "bedrock",
    );
    expect(idsOf(request.messages)).toEqual(["call_1", "call_1"]);
  });
  test("that do not fit are derived, the same for the result", () => {
    const long = "x".repeat(80);
    const { request } = prepared({ origin: "openai", messages: [user, ...turn(long)] }, "bedrock");
    const [one, other] = idsOf(request.messages);
    expect(one).toMatch(/^call_[a-z2-7]{26}$/);
    expect(other).toBe(one);
  });
  test("are nine letters and digits for Mistral", () => {
    const { request } = prepared(
      { origin: "anthropic", messages: [user, ...turn("toolu_1")] },
      "openai",
      {
        toolIdPattern: "[a-zA-Z0-9]{9}",
      },
    );
    expect(idsOf(request.messages)[0]).toMatch(/^[a-z2-7]{9}$/);
  });
  test("are made where Gemini gave none, apart and alike in the next turn", () => {
    const messages = [user, ...turn(undefined), ...turn(undefined)];
    const ids = idsOf(prepared({ origin: "gemini", messages }, "openai").request.messages);
    expect(new Set(ids).size).toBe(2);
    const more = [...messages, ...turn(undefined)];
    const later = idsOf(prepared({ origin: "gemini", messages: more }, "openai").request.messages);
    expect(later.slice(0, 4)).toEqual(ids.slice());
  });
  test("that come twice become two", () => {
    const messages = [user, ...turn("call_0"), ...turn("call_0")];
    const ids = idsOf(prepared({ origin: "openai", messages }, "anthropic").request.messages);
    expect(ids[0]).toBe("call_0");
    expect(ids[2]).not.toBe("call_0");
    expect(ids[3]).toBe(ids[2]);
  });
  test("are left out where the target has none, and the results follow the calls", () => {
    const messages = [
      user,
      say("assistant", call("a"), call("b")),
      say("tool", result("b")),
      say("tool", result("a")),
    ];
    const { request } = prepared({ origin: "openai", messages }, "gemini", { toolIds: false });
    expect(idsOf(request.messages)).toEqual([undefined, undefined, undefined, undefined]);
    expect(shape(request)[2]).toBe("user: =f, =f");
  });
});
