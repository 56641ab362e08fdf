import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DIALECT_IDS, type DialectId } from "../../../src/core/ids.ts";
import type { IrEvent } from "../../../src/protocol/ir/event.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { carryProofs } from "../../../src/protocol/translate/carried-answer.ts";
import { carryPass } from "../../../src/protocol/translate/carried-stream.ts";
import { proofSlots } from "../../../src/protocol/translate/proof-slots.ts";
import { accumulate, eventsOf, whole } from "./accumulate.ts";
import { answerOf, cuts, HOME, proofs as envelopes } from "./arbitraries.ts";

function runOf(client: DialectId, upstream: DialectId, losses: Loss[]) {
  const slots = proofSlots({
    client,
    clientFamily: HOME[client],
    upstream,
    upstreamFamily: HOME[upstream],
    proofs: envelopes,
  });
  return { slots, report: (loss: Loss) => void losses.push(loss) };
}

const where = fc.constantFrom("start" as const, "delta" as const, "final" as const);

describe.each(DIALECT_IDS)("a stream for a client of %s", (client) => {
  test.each(DIALECT_IDS)("from %s tells what the whole answer says", (upstream) => {
    fc.assert(
      fc.property(answerOf(upstream), cuts, where, (answer, at, proofs) => {
        // No upstream that repeats its blocks has proofs on their parts.
        fc.pre(client !== "gemini" || proofs !== "final");
        const early: Loss[] = [];
        const late: Loss[] = [];
        const pass = carryPass(runOf(client, upstream, late));
        const events = eventsOf(answer, { cuts: at, proofs });
        const out = [...events.flatMap((event) => pass.feed(event)), ...pass.end()];
        const carried = carryProofs(answer, runOf(client, upstream, early));
        expect(accumulate(out)).toEqual(whole(carried));
        expect(late).toEqual(early);
      }),
    );
  });
});

test("text of a model whose proofs come last is not held back", () => {
  const pass = carryPass(runOf("anthropic", "gemini", []));
  const text = (more: string): IrEvent => ({
    t: "delta",
    c: 0,
    b: 0,
    d: { k: "text", text: more },
  });
  pass.feed({ t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } });
  expect(pass.feed(text("now"))).toEqual([
    { t: "block_start", c: 0, b: 0, block: { type: "text", text: "" } },
    text("now"),
  ]);
});

test("what a source left open is closed before its candidate stops", () => {
  const pass = carryPass(runOf("anthropic", "gemini", []));
  const signed = { value: "cHJvb2Y=", encoding: "plain", family: "google" } as const;
  const block = { type: "tool_call", callId: "c1", name: "t", args: "{}", proof: signed } as const;
  expect(pass.feed({ t: "block_start", c: 0, b: 4, block })).toEqual([]);
  const out = pass.feed({ t: "stop", c: 0, stop: { kind: "tool_call" } });
  expect(out.map(({ t }) => t)).toEqual([
    "block_start",
    "delta",
    "block_stop",
    "block_start",
    "block_stop",
    "stop",
  ]);
  expect(() => accumulate([...out, { t: "end" }])).not.toThrow();
});

test("a seal that is all there is stands in its block's start, as Anthropic has it", () => {
  const pass = carryPass(runOf("anthropic", "bedrock", []));
  const layer = Buffer.from("c2VhbA==").toString("base64");
  const signed = { value: layer, encoding: "base64-of-plain", family: "anthropic" } as const;
  expect(pass.feed({ t: "block_start", c: 0, b: 0, block: { type: "reasoning" } })).toEqual([]);
  const bare = { value: "c2VhbA==", encoding: "plain", family: "anthropic" } as const;
  expect(pass.feed({ t: "delta", c: 0, b: 0, d: { k: "sealed", signed } })).toEqual([
    { t: "block_start", c: 0, b: 0, block: { type: "reasoning", sealed: bare } },
  ]);
});
