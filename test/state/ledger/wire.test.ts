import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeEntry, encodeEntry } from "../../../src/state/ledger/wire.ts";
import { FACT_BYTES_MAX, plainName } from "../../../src/state/ledger/facts.ts";
import { entries, entry, usage } from "./entries.ts";

test("an entry comes across as it went", () => {
  fc.assert(fc.property(entries, (each) => expect(decodeEntry(encodeEntry(each))).toEqual(each)));
  const greatest = entry({
    ...{ chargedNano: 2n ** 56n, at: Number.MAX_SAFE_INTEGER, tenant: "é\u{1F600}", key: "" },
    usage: usage({ inputTokens: Number.MAX_SAFE_INTEGER }),
  });
  expect(decodeEntry(encodeEntry(greatest))).toEqual(greatest);
});

test("of an entry that was cut nothing comes, and nothing is thrown", () => {
  const bytes = encodeEntry(entry());
  for (let end = 0; end < bytes.length; end++)
    expect(decodeEntry(bytes.subarray(0, end))).toBeUndefined();
  expect(decodeEntry(new Uint8Array([...bytes, 0]))).toBeUndefined();
});

test("damaged bytes are an entry that can be written, or nothing", () => {
  const bytes = encodeEntry(entry({}, [{ fault: "server_error", cost: "none" }, {}]));
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const damaged = Uint8Array.from(bytes);
      for (const [at, byte] of changes) damaged[at] = byte;
      const read = decodeEntry(damaged);
      if (read === undefined) return;
      const { id, usage: used, chargedNano } = read.fact;
      expect(decodeEntry(encodeEntry(read))?.fact).toMatchObject({ id, usage: used, chargedNano });
    }),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      decodeEntry(noise);
    }),
  );
});

test("a usual entry takes some 200 bytes", () => {
  expect(encodeEntry(entry()).length).toBeLessThan(220);
});

test("whatever the names and tries are, it fits, and amounts are whole", () => {
  const name = fc
    .tuple(fc.constantFrom("a", "é", "確", "😀"), fc.nat(200))
    .map(([letter, length]) => plainName(letter.repeat(length)));
  const cost = fc.constantFrom("none", "unknown", "reported");
  const tries = fc.array(fc.record({ provider: name, model: name, cost }), {
    maxLength: 20,
    size: "max",
  });
  const who = fc.record({
    ...{ requestId: fc.stringMatching(/^[\w.-]{8,128}$/), tenant: name, key: name },
    ...{ provider: name, requestedModel: name, billedModel: name },
  });
  fc.assert(
    fc.property(who, tries, fc.maxSafeNat(), (names, attempts, inputTokens) => {
      const big = entry({ ...names, usage: usage({ inputTokens }) }, attempts as never);
      const fitted = encodeEntry(big, FACT_BYTES_MAX);
      expect(fitted.length).toBeLessThanOrEqual(FACT_BYTES_MAX);
      const { id, chargedNano, usage: used } = big.fact;
      expect(decodeEntry(fitted)!.fact).toMatchObject({ id, chargedNano, usage: used });
    }),
    { numRuns: 500 },
  );
});

test("what would be too long loses names and idle attempts, never an amount", () => {
  const long = "m".repeat(200);
  const attempts = Array.from({ length: 8 }, (_, n) => ({
    ...{
      model: `${n}${long}`,
      fault: "network",
      cost: n % 2 === 0 ? ("none" as const) : undefined,
    },
  }));
  const big = entry(
    { requestId: "r".repeat(128), requestedModel: long, billedModel: `b${long}` },
    attempts.map(({ cost, ...rest }) => (cost === undefined ? rest : { ...rest, cost })),
  );
  expect(encodeEntry(big).length).toBeGreaterThan(1500);
  const fitted = encodeEntry(big, 512);
  expect(fitted.length).toBeLessThanOrEqual(512);
  const read = decodeEntry(fitted)!;
  expect(read.fact).toMatchObject({
    id: big.fact.id,
    chargedNano: big.fact.chargedNano,
    usage: big.fact.usage,
  });
  expect(read.attempts.map(({ n }) => n)).toEqual([2, 4, 6, 8]);
});
