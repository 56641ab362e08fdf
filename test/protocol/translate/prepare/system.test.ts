import { describe, expect, test } from "bun:test";
import { prepared, say, shape } from "../preparing.ts";

const texts = (blocks: readonly { readonly type: string }[]): readonly unknown[] =>
  blocks.map((block) => ("text" in block ? block.text : block.type));

describe("system messages", () => {
  const messages = [say("system", "one"), say("developer", "two"), say("user", "hi")];

  test("that come first are the blocks of the top slot", () => {
    const { request, lost } = prepared({ origin: "openai", messages }, "gemini");
    expect(texts(request.system)).toEqual(["one", "two"]);
    expect(shape(request)).toEqual(["user: hi"]);
    expect(lost).toEqual([]);
  });
  test("are joined where the top slot is a string", () => {
    const { request, lost } = prepared({ origin: "openai", messages }, "responses");
    expect(texts(request.system)).toEqual(["one\n\ntwo"]);
    expect(request.systemBareString).toBe(true);
    expect(lost).toEqual(["L-SYSTEM-JOINED messages approximated"]);
  });
  test("stay in the list rather than lose their cache marks", () => {
    const system = [
      { type: "text" as const, text: "one", cache: { ttl: "5m" } },
      { type: "text" as const, text: "two" },
    ];
    const { request, lost } = prepared({ origin: "anthropic", system }, "responses");
    expect(request.system).toEqual([]);
    expect(request.messages[0]).toMatchObject({ role: "system", blocks: [{ cache: {} }, {}] });
    expect(lost).not.toContain("L-CACHE messages dropped");
  });
  test("of the top slot are the first message of Chat", () => {
    const system = [{ type: "text" as const, text: "one" }];
    const given = { origin: "anthropic" as const, system, messages: [say("user", "hi")] };
    expect(shape(prepared(given, "openai").request)).toEqual(["system: one", "user: hi"]);
  });
  test("in the middle stay there, as the user's words where they must, never first", () => {
    const middle = [
      say("user", "a"),
      say("system", "now"),
      say("assistant", "b"),
      say("user", "c"),
    ];
    const chat = prepared({ origin: "anthropic", messages: middle }, "openai");
    expect(shape(chat.request)[1]).toBe("system: now");
    const gemini = prepared({ origin: "openai", messages: middle }, "gemini");
    expect(shape(gemini.request)[1]).toBe("user: <system>\nnow\n</system>");
    expect(gemini.lost).toEqual(["L-SYSTEM-MOVED messages moved"]);
  });
  test("of a developer are the system's outside OpenAI", () => {
    expect(shape(prepared({ origin: "openai", messages }, "cohere").request)).toEqual([
      "system: one",
      "system: two",
      "user: hi",
    ]);
  });
  test("keep the text of Bedrock's guard, whose loss is told", () => {
    const raw = { guardContent: { text: { text: "mind this" } } };
    const system = [
      {
        type: "opaque" as const,
        vendor: "bedrock" as const,
        wireType: "guardContent",
        raw,
        at: "system[0]",
      },
    ];
    const { request, lost } = prepared({ origin: "bedrock", system }, "gemini");
    expect(texts(request.system)).toEqual(["mind this"]);
    expect(lost).toContain("L-SAFETY system[0] dropped");
  });
  test("lose the name and all but the text they may have", () => {
    const image = {
      type: "media",
      kind: "image",
      source: { kind: "url", url: "u" },
      at: "i",
    } as const;
    const messages = [{ ...say("system", "s", image), name: "n", at: "m" }, say("user", "a")];
    expect(prepared({ origin: "openai", messages }, "gemini").lost).toEqual([
      "L-NAME m.name dropped",
      "L-UNKNOWN-BLOCK i dropped",
    ]);
  });
  test("that are joined lose what a string cannot hold", () => {
    const system = [
      { type: "text" as const, text: "one", cache: {}, at: "s0" },
      { type: "opaque" as const, vendor: "responses" as const, wireType: "x", raw: {}, at: "s1" },
    ];
    const { request, lost } = prepared({ origin: "anthropic", system }, "responses", {
      cacheMarks: "none",
    });
    expect(texts(request.system)).toEqual(["one"]);
    expect(lost).toContain("L-CACHE s0 dropped");
    expect(lost).toContain("L-UNKNOWN-BLOCK s1 dropped");
  });
});
