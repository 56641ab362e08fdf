import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DIALECT_IDS } from "../../../src/core/ids.ts";
import { FACT_BYTES_MAX, plainName } from "../../../src/state/ledger/facts.ts";
import {
  encodeSold,
  encodeWhose,
  entryOfOrphan,
  orphanFact,
  type Whose,
} from "../../../src/state/ledger/orphan.ts";
import { decodeEntry } from "../../../src/state/ledger/wire.ts";
import { TAG_BYTES } from "../../../src/state/slab/layout.ts";
import type { Orphan } from "../../../src/state/slab/record.ts";

const WHOSE: Whose = {
  ...{ id: "req_0123456789abcdef01234567", requestId: "req_0123456789abcdef01234567" },
  ...{ tenant: undefined, key: "app", requestedModel: "claude", protocol: "anthropic" },
  ...{ privacy: "shareable", stream: true, card: "abcdef012345" },
  sold: { provider: "anthropic", model: "claude-sonnet-4-5" },
};

function orphan(differs: Partial<Orphan> = {}): Orphan {
  return {
    ...{ tokens: 130, nano: 5000, estimated: true, inputTokens: 100, outputTokens: 30 },
    ...{ startedWall: 1.9e12 + 0.5, priceKey: 0, tag: encodeWhose(WHOSE).slice() },
    ...differs,
  };
}

describe("the fact of a request whose process was killed", () => {
  test("says whose it was, what it had delivered, and that this is an estimate", () => {
    const { fact, attempts } = entryOfOrphan(orphan())!;
    const { sold, ...whose } = WHOSE;
    expect(fact).toMatchObject({ ...whose, provider: sold.provider, billedModel: sold.model });
    expect(fact).toMatchObject({ provenance: "estimated", chargedNano: 5000n, at: 1.9e12 });
    expect(fact.usage).toMatchObject({ inputTokens: 100, outputTokens: 30 });
    expect(attempts).toMatchObject([{ n: 1, fault: "killed", cost: "estimated" }]);
  });

  test("that had delivered nothing is charged nothing, and may have cost something", () => {
    const none = { tokens: 0, nano: 0, outputTokens: undefined };
    const { fact, attempts } = entryOfOrphan(orphan(none))!;
    expect(fact.usage).toMatchObject({ inputTokens: 0, outputTokens: 0 });
    expect(fact.chargedNano).toBe(0n);
    expect(attempts).toMatchObject([{ fault: "killed", cost: "unknown" }]);
  });

  test("that was settled already has the truth's sums, and no fault", () => {
    const { fact, attempts } = entryOfOrphan(orphan({ estimated: false }))!;
    expect(fact).toMatchObject({ provenance: "partial", status: 200 });
    expect(attempts).toMatchObject([{ fault: undefined, cost: "partial" }]);
  });

  test("names who answered, where that was known", () => {
    const more = encodeSold({ provider: "spare", model: "gpt-4o" }).slice();
    const tag = Uint8Array.from([...orphan().tag, ...more]);
    expect(entryOfOrphan(orphan({ tag }))?.fact).toMatchObject({
      ...{ provider: "spare", billedModel: "gpt-4o" },
    });
  });

  test("that nobody keeps a fact of has none", () => {
    expect(entryOfOrphan(orphan({ tag: new Uint8Array() }))).toBeUndefined();
  });
});

const narrow = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { size: "max" });
const long = fc
  .tuple(fc.constantFrom("a", "é", "確", "😀"), fc.nat(200))
  .map(([letter, length]) => letter.repeat(length));
const named = fc.oneof(long, narrow).map(plainName);

test("whatever the names are, they fit where they go, and the charge is whole", () => {
  const whose = fc.record({
    ...{ id: narrow.map((id) => id.slice(0, 28)), requestId: fc.stringMatching(/^[\w.-]{8,128}$/) },
    ...{ tenant: fc.option(named, { nil: undefined }), key: fc.option(named, { nil: undefined }) },
    ...{ requestedModel: named, protocol: fc.constantFrom(...DIALECT_IDS) },
    privacy: fc.constantFrom("private", "shareable", undefined),
    ...{ stream: fc.boolean(), card: fc.constant("abcdef012345") },
    sold: fc.record({ provider: named, model: named }),
  });
  const count = fc.nat(2 ** 31 - 2);
  fc.assert(
    fc.property(whose, count, fc.maxSafeNat(), (each, outputTokens, nano) => {
      const tag = encodeWhose(each).slice();
      expect(tag.length).toBeLessThanOrEqual(TAG_BYTES);
      const tokens = outputTokens + 5;
      const fact = orphanFact(orphan({ tag, outputTokens, tokens, nano }), FACT_BYTES_MAX)!;
      expect(fact.length).toBeLessThanOrEqual(FACT_BYTES_MAX);
      const read = decodeEntry(fact)!.fact;
      expect(read).toMatchObject({ id: each.id, chargedNano: BigInt(nano) });
      expect(read.usage).toMatchObject({ inputTokens: 5, outputTokens });
    }),
    { numRuns: 500 },
  );
});
