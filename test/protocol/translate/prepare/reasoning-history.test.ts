import { describe, expect, test } from "bun:test";
import type { Capabilities } from "../../../../src/core/capabilities.ts";
import type { DialectId } from "../../../../src/core/ids.ts";
import type { ProofFamily, ReasoningBlock, Signed } from "../../../../src/protocol/ir/block.ts";
import { call, prepared, result, say } from "../preparing.ts";

const signed = (family: ProofFamily): Signed => ({ value: "s", encoding: "plain", family });
const thought = (more: Partial<ReasoningBlock>): ReasoningBlock => ({
  type: "reasoning",
  text: "hm",
  at: "at",
  ...more,
});
const host: Partial<Capabilities> = { family: "other", proofSlot: "details" };

function types(
  block: ReasoningBlock,
  from: DialectId,
  to: DialectId,
  change?: Partial<Capabilities>,
) {
  const messages = [say("user", "a"), say("assistant", block, call("1")), say("user", result("1"))];
  const tools = [{ kind: "function", name: "f", schemaDialect: "json-schema" }] as const;
  const told = prepared({ origin: from, messages, tools, maxOutputTokens: 9000 }, to, change);
  return { types: told.request.messages[1]?.blocks.map(({ type }) => type), lost: told.lost };
}

describe("reasoning of the history", () => {
  test.each<readonly [ReasoningBlock, DialectId, DialectId, Partial<Capabilities>]>([
    [thought({ signature: signed("anthropic") }), "anthropic", "bedrock", {}],
    [thought({ sealed: signed("anthropic") }), "bedrock", "anthropic", {}],
    [thought({ sealed: signed("openai") }), "anthropic", "responses", {}],
    [thought({ planOf: "tool" }), "openai", "cohere", {}],
    [thought({}), "anthropic", "openai", host],
  ])("%j of %s goes back to %s", (block, from, to, change) => {
    const { types: sent, lost } = types(block, from, to, change);
    expect(sent).toEqual(["reasoning", "tool_call"]);
    expect(lost).toEqual([]);
  });

  test.each<readonly [ReasoningBlock, DialectId, DialectId]>([
    [thought({ signature: signed("anthropic") }), "anthropic", "responses"],
    [thought({ sealed: signed("openai") }), "responses", "anthropic"],
    [thought({}), "openai", "anthropic"],
    [thought({}), "anthropic", "openai"],
  ])("%j of %s does not go to %s", (block, from, to) => {
    const { types: sent, lost } = types(block, from, to);
    expect(sent).toEqual(["tool_call"]);
    expect(lost).toEqual(["L-REASONING-FOREIGN at dropped"]);
  });

  test("that is over goes back to no host without proofs", () => {
    const messages = [say("user", "a"), say("assistant", thought({}), "b"), say("user", "c")];
    const { request, lost } = prepared({ origin: "anthropic", messages }, "openai", host);
    expect(request.messages[1]?.blocks).toHaveLength(1);
    expect(lost).toEqual(["L-REASONING-FOREIGN at dropped"]);
  });
  test("of another vendor in a loop ends thinking of a budget for this request", () => {
    const messages = [say("user", "a"), say("assistant", call("1")), say("tool", result("1"))];
    const tools = [{ kind: "function", name: "f", schemaDialect: "json-schema" }] as const;
    const reasoning = { mode: "on", effort: "low" } as const;
    const given = { origin: "openai" as const, messages, tools, reasoning, maxOutputTokens: 9000 };
    const told = prepared(given, "anthropic", { reasoning: "budget" });
    expect(told.request.reasoning).toEqual({ mode: "off" });
    expect(told.lost).toEqual(["L-THINK-OFF reasoning_effort dropped"]);
    const after = { ...given, messages: [...messages, say("user", "go on")] };
    expect(prepared(after, "anthropic", { reasoning: "budget" }).request.reasoning).toMatchObject({
      mode: "on",
    });
    expect(prepared(given, "anthropic").request.reasoning).toMatchObject({ mode: "adaptive" });
  });
  test("at Gemini the first call of each step has a proof, of whoever made it", () => {
    const messages = [
      say("user", "a"),
      say("assistant", { ...call("1"), at: "c" }, call("2")),
      say("tool", result("1")),
      say("tool", result("2")),
    ];
    const { request, lost } = prepared({ origin: "openai", messages }, "gemini");
    expect(request.messages[1]?.blocks).toMatchObject([
      { proof: { value: btoa("skip_thought_signature_validator"), family: "google" } },
      { type: "tool_call" },
    ]);
    expect(request.messages[1]?.blocks[1]).not.toHaveProperty("proof");
    expect(lost).toEqual(["L-SIG-DUMMY c defaulted"]);
  });
  test("a proof on a call or a text goes to its own family only", () => {
    const proof = signed("google");
    const messages = [
      say("user", "a"),
      say("assistant", { type: "text", text: "b", proof, at: "t" }, {
        ...call("1"),
        proof,
        at: "c",
      } as never),
      say("tool", result("1")),
    ];
    const tools = [{ kind: "function", name: "f", schemaDialect: "json-schema" }] as const;
    const given = { messages, tools, maxOutputTokens: 9 };
    const kept = prepared({ origin: "openai", ...given }, "gemini");
    expect(kept.request.messages[1]?.blocks).toMatchObject([{ proof }, { proof }]);
    expect(kept.lost).toEqual([]);
    const lost = prepared({ origin: "gemini", ...given }, "anthropic");
    expect(lost.lost).toEqual(["L-REASONING-FOREIGN t dropped", "L-REASONING-FOREIGN c dropped"]);
  });
});
