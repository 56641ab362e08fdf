import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createProofs, layered, type Proof } from "../../../src/protocol/translate/proofs.ts";

const key = new TextEncoder().encode("one key");
const ours = createProofs(key);
const theirs = createProofs(new TextEncoder().encode("another key"));

const proof: fc.Arbitrary<Proof> = fc.record(
  {
    family: fc.constantFrom("anthropic", "openai", "google", "other"),
    kind: fc.constantFrom("reasoning", "sealed", "call", "text"),
    value: fc.string({ unit: "binary" }),
    callId: fc.string(),
    place: fc.constantFrom("after", "alone"),
  },
  { requiredKeys: ["family", "kind", "value"] },
);

describe("an envelope", () => {
  test("gives back what was put in, whatever bytes a proof has", () => {
    fc.assert(
      fc.property(proof, (given) => {
        expect(ours.unwrap(ours.wrap(given))).toEqual(given);
        expect(ours.unwrap(layered(ours.wrap(given)))).toEqual(given);
      }),
    );
  });

  test("is the same each time, so that a prompt's cached prefix stays", () => {
    const given: Proof = { family: "google", kind: "call", value: "x" };
    expect(ours.wrap(given)).toBe(ours.wrap({ ...given }));
  });

  test("fits into a JSON string, a header and an id as it is", () => {
    fc.assert(
      fc.property(proof, (given) => expect(ours.wrap(given)).toMatch(/^gw1\.[\w-]+\.[\w-]{22}$/)),
    );
  });

  test("is base64 of the standard alphabet where its slot is bytes", () => {
    fc.assert(
      fc.property(proof, (given) =>
        expect(layered(ours.wrap(given))).toMatch(/^[A-Za-z0-9]+={0,2}$/),
      ),
    );
  });

  test("of another key is forged", () => {
    fc.assert(
      fc.property(proof, (given) => {
        expect(ours.unwrap(theirs.wrap(given))).toBe("forged");
        expect(ours.unwrap(layered(theirs.wrap(given)))).toBe("forged");
      }),
    );
  });

  test("of another tenant, or of nobody's, is forged", () => {
    fc.assert(
      fc.property(proof, fc.string(), fc.string(), (given, one, other) => {
        fc.pre(one !== other);
        const wrapped = ours.of(one).wrap(given);
        expect(ours.of(one).unwrap(wrapped)).toEqual(given);
        expect([ours.of(other).unwrap(wrapped), ours.unwrap(wrapped)]).toEqual([
          ...["forged", "forged"],
        ] as never);
        expect(ours.of(one).unwrap(ours.wrap(given))).toBe("forged");
      }),
    );
  });

  test("with any character changed or cut off is forged", () => {
    fc.assert(
      fc.property(proof, fc.nat(), fc.constantFrom("A", "B", "-", ".", "é"), (given, place, by) => {
        const envelope = ours.wrap(given);
        const at = 4 + (place % (envelope.length - 4));
        const changed = envelope.slice(0, at) + by + envelope.slice(at + 1);
        if (changed !== envelope) expect(ours.unwrap(changed)).toBe("forged");
        expect(ours.unwrap(envelope.slice(0, at))).toBe("forged");
        expect(ours.unwrap(envelope + by)).toBe("forged");
      }),
    );
  });

  test("of our key around what we never write is forged", () => {
    const signed = `gw1.${Buffer.from('{"family":"acme","kind":"call","value":"x"}').toString("base64url")}`;
    const mac = new Bun.CryptoHasher("sha256", key).update(signed).digest().subarray(0, 16);
    expect(ours.unwrap(`${signed}.${mac.toString("base64url")}`)).toBe("forged");
  });
});

test("a vendor's own value is none of ours", () => {
  for (const value of [
    "",
    "EqQBCgIYAhIM",
    "gAAAAABl",
    "gw",
    "gw2.a.b",
    "skip_thought_signature_validator",
  ]) {
    expect(ours.unwrap(value)).toBeUndefined();
  }
});

test("no key is no proof", () => {
  expect(() => createProofs(new Uint8Array(0))).toThrow("empty key");
});
