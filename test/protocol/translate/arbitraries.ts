import fc from "fast-check";
import type { DialectId } from "../../../src/core/ids.ts";
import type { IrAnswer } from "../../../src/protocol/ir/answer.ts";
import type { Block, ProofFamily, Signed } from "../../../src/protocol/ir/block.ts";
import { createProofs } from "../../../src/protocol/translate/proofs.ts";

export const proofs = createProofs(new TextEncoder().encode("a key for tests"));

/** The family whose proofs each wire has, and where it has them: protocols.md 3.9. */
export const HOME: Readonly<Record<DialectId, ProofFamily>> = {
  openai: "openai",
  responses: "openai",
  anthropic: "anthropic",
  bedrock: "anthropic",
  gemini: "google",
  cohere: "other",
};

const base64 = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString("base64"));
/** Vendors' proofs are base64; a seal of Bedrock's is base64 of base64, or of other bytes. */
function signed(family: ProofFamily): fc.Arbitrary<Signed> {
  return base64.map((value) => ({ value, encoding: "plain", family }));
}
const layered: fc.Arbitrary<Signed> = fc
  .oneof(
    base64.map((value) => ({ value: Buffer.from(value).toString("base64") })),
    base64.map((value) => ({ value })),
  )
  .map(({ value }) => ({ value, encoding: "base64-of-plain", family: "anthropic" }));

const words = fc.string({ unit: "grapheme", maxLength: 12 });
const someWords = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });

function reasoningOf(upstream: DialectId): fc.Arbitrary<Block> {
  const own = signed(HOME[upstream]);
  const type = fc.constant("reasoning" as const);
  switch (upstream) {
    case "anthropic":
      return fc.oneof(
        fc.record({ type, text: words, signature: own }),
        fc.record({ type, sealed: own }),
      );
    case "bedrock":
      return fc.oneof(
        fc.record({ type, text: words, signature: own }),
        fc.record({ type, sealed: layered }),
      );
    case "responses":
      return fc.oneof(
        fc.record({ type, sealed: own }),
        fc.record({
          type,
          summary: fc.array(someWords, { minLength: 1, maxLength: 1 }),
          sealed: own,
        }),
      );
    case "openai":
      return fc.oneof(
        fc.record({ type, text: someWords, signature: own }),
        fc.record({ type, sealed: own }),
        fc.record({ type, text: someWords }),
      );
    case "gemini":
      return fc.record({ type, text: someWords });
    case "cohere":
      return fc.record({ type, text: someWords });
  }
}

function blockOf(upstream: DialectId): fc.Arbitrary<Block> {
  const proof =
    upstream === "gemini"
      ? fc.option(signed("google"), { nil: undefined })
      : fc.constant(undefined);
  return fc.oneof(
    fc.record({ type: fc.constant("text" as const), text: words, proof }),
    fc.record({
      type: fc.constant("tool_call" as const),
      name: fc.constantFrom("look", "find"),
      args: fc.constantFrom("{}", '{"a":1}', '{"input":"x"}'),
      proof,
    }),
    reasoningOf(upstream),
  );
}

/** An answer as `upstream` could give it; ids are given to calls by the pass before. */
export function answerOf(upstream: DialectId): fc.Arbitrary<IrAnswer> {
  return fc.array(blockOf(upstream), { maxLength: 8 }).map((blocks) => ({
    origin: upstream,
    id: "up-1",
    model: "m",
    candidates: [
      {
        index: 0,
        blocks: blocks.map((block, index) =>
          block.type === "tool_call" ? { ...block, callId: `call-${index}` } : block,
        ),
        stop: { kind: "end" as const },
      },
    ],
  }));
}

export const cuts: fc.Arbitrary<readonly number[]> = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 4 })
  .map((points) => points.sort((a, b) => a - b));
