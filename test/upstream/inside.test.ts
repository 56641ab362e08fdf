import { expect, test } from "bun:test";
import fc from "fast-check";
import { isErrorInside } from "../../src/upstream/inside.ts";
import { bytesOf, COMPLETION } from "./pieces.ts";

const inside = (value: unknown) => isErrorInside(bytesOf(JSON.stringify(value)));

test.each<[string, unknown]>([
  ["OpenRouter", { error: { code: 429, message: "Provider returned error" }, user_id: "u" }],
  ["a relay", { error: "upstream is gone" }],
  ["Anthropic's envelope", { type: "error", error: { type: "api_error", message: "m" } }],
  ["MiniMax", { id: "1", choices: null, base_resp: { status_code: 1008, status_msg: "m" } }],
])("%s: an error in the place of an answer", (_, value) => expect(inside(value)).toBe(true));

test.each<[string, unknown]>([
  ["an answer", JSON.parse(COMPLETION)],
  ["an answer that speaks of one", { choices: [{ message: { content: '"error": {"code": 1}' } }] }],
  ["a response without one", { object: "response", status: "completed", error: null }],
  ["a response that failed", { object: "response", status: "failed", error: { code: "x" } }],
  ["no error by any name", { error: null, base_resp: { status_code: 0, status_msg: "" } }],
  ["an error deeper down", { data: [{ error: { message: "m" } }] }],
  ["a list", [{ error: { message: "m" } }]],
])("%s: none", (_, value) => expect(inside(value)).toBe(false));

test("whatever the bytes, there is a verdict", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(isErrorInside(bytesOf(`${text} "error"`))).toBe(false);
      expect(isErrorInside(bytesOf(text))).toBeBoolean();
    }),
  );
});
