import { describe, expect, test } from "bun:test";
import { Rejection } from "../../../../src/core/rejection.ts";
import type { IrRequest, Message } from "../../../../src/protocol/ir/request.ts";
import { call, outcomeOf, prepared, requestOf, result, say, shape } from "../preparing.ts";

function refusal(messages: readonly Message[], more: Partial<IrRequest> = {}): unknown {
  const request = requestOf({ origin: "openai", messages, ...more });
  const { prepared: outcome } = outcomeOf(request, { target: "anthropic" });
  if (!(outcome instanceof Rejection)) throw new Error("it was not refused");
  return outcome.reason;
}

describe("calls and results", () => {
  test("a call without a result is the caller's mistake", () => {
    const at = "messages[1].tool_calls[0]";
    expect(refusal([say("user", "a"), say("assistant", { ...call("c1"), at })])).toMatchObject({
      kind: "malformed",
      param: at,
    });
  });
  test("so is a result without a call", () => {
    const at = "messages[0]";
    expect(refusal([say("tool", { ...result("c1"), at })])).toMatchObject({
      kind: "malformed",
      param: at,
    });
  });
  test("and a second result for the same call", () => {
    const messages = [
      say("assistant", call("c1")),
      say("tool", result("c1")),
      say("tool", { ...result("c1"), at: "messages[2]" }),
    ];
    expect(refusal(messages)).toMatchObject({ kind: "malformed", param: "messages[2]" });
  });
  test("a call that lies in a history kept elsewhere is refused as that", () => {
    const more = {
      origin: "responses" as const,
      ext: { responses: { previous_response_id: "r" } },
    };
    expect(refusal([say("tool", result("c1"))], more)).toMatchObject({
      kind: "loss_refused",
      path: "previous_response_id",
    });
  });
  test("results without ids answer calls of their name, in order", () => {
    const messages = [
      say("user", "a"),
      say("assistant", call(undefined, "f"), call(undefined, "g"), call(undefined, "f")),
      say(
        "user",
        result(undefined, "1", "f"),
        result(undefined, "2", "g"),
        result(undefined, "3", "f"),
      ),
    ];
    const { request } = prepared({ origin: "gemini", messages }, "openai");
    const [, turn, ...results] = request.messages;
    const ids = turn?.blocks.map((block) => block.type === "tool_call" && block.callId);
    const answered = results.map(
      ({ blocks: [block] }) => block?.type === "tool_result" && block.callId,
    );
    expect(answered).toEqual([ids![0]!, ids![1]!, ids![2]!]);
  });
  test("a result that came late stands behind its call, and that is told", () => {
    const messages = [
      say("user", "a"),
      say("assistant", call("c1"), call("c2")),
      say("tool", result("c1")),
      say("user", "hurry"),
      say("tool", { ...result("c2"), at: "input[5]" }),
    ];
    const { request, lost } = prepared({ origin: "responses", messages }, "openai");
    expect(shape(request)).toEqual([
      "user: a",
      "assistant: call c1, call c2",
      "tool: =c1",
      "tool: =c2",
      "user: hurry",
    ]);
    expect(lost).toEqual(["L-ORDER input[5] moved"]);
  });
  test("results take linear time, in whatever order they come", () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `c${index}`);
    const messages = [
      say("user", "a"),
      say("assistant", ...ids.map((id) => call(id))),
      say("user", ...ids.toReversed().map((id) => result(id))),
    ];
    expect(shape(prepared({ origin: "anthropic", messages }, "bedrock").request)).toHaveLength(3);
  });
});
