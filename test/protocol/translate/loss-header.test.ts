import { expect, test } from "bun:test";
import fc from "fast-check";
import { LOSSES, type Loss, type LossCode } from "../../../src/protocol/ir/loss.ts";
import { lossHeader, translatedHeader } from "../../../src/protocol/translate/loss-header.ts";

const CODES = Object.keys(LOSSES) as LossCode[];
const loss = (code: LossCode, path: string): Loss => ({ code, path, action: "dropped" });
const entry = /^L-[A-Z-]+\([^(),\s"\\]*\)$/;

test("losses stand in the order they were found, each once", () => {
  const all = [
    loss("L-SEED", "seed"),
    loss("L-TOOLIMG-MOVED", "messages[4].content[1]"),
    loss("L-SEED", "seed"),
  ];
  expect(lossHeader(all)).toBe("L-SEED(seed), L-TOOLIMG-MOVED(messages[4].content[1])");
  expect(lossHeader([])).toBe("");
});

test("a caller's names cannot end the header, the entry or the comment", () => {
  const all = [
    loss("L-UNKNOWN-FIELD", "a\r\nset-cookie: x"),
    loss("L-UNKNOWN-FIELD", "x), L-STATE(y"),
  ];
  expect(lossHeader(all)).toBe(
    "L-UNKNOWN-FIELD(a%0D%0Aset-cookie:%20x), L-UNKNOWN-FIELD(x%29%2C%20L-STATE%28y)",
  );
  expect(lossHeader([loss("L-NAME", "für\ud800")])).toBe("L-NAME(f%C3%BCr%EF%BF%BD)");
});

test("a long path keeps its beginning, and no half of an escape", () => {
  const [long] = [lossHeader([loss("L-NAME", `${"a".repeat(255)}éé`)])];
  expect(long).toBe(`L-NAME(${"a".repeat(255)}~)`);
  expect(lossHeader([loss("L-NAME", "b".repeat(9000))])).toBe(`L-NAME(${"b".repeat(256)}~)`);
});

test("what does not fit is counted", () => {
  const all = Array.from({ length: 1000 }, (_, at) => loss("L-NAME", `messages[${at}].name`));
  const header = lossHeader(all);
  expect(header.length).toBeLessThanOrEqual(4096);
  expect(header.length).toBeGreaterThan(4000);
  const entries = header.split(", ");
  expect(entries.at(-1)).toBe(`more=${1000 - (entries.length - 1)}`);
});

test("it is a valid header of at most 4 KiB, whatever the paths are", () => {
  const any = fc.record({
    code: fc.constantFrom(...CODES),
    path: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme", minLength: 200, maxLength: 900 }),
    ),
    action: fc.constant("dropped" as const),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 60 }), (losses) => {
      const header = lossHeader(losses);
      expect(header.length).toBeLessThanOrEqual(4096);
      new Headers({ "x-interlock-loss": header });
      if (header === "") return expect(losses).toEqual([]);
      const [last, ...others] = header.split(", ").reverse();
      expect(last).toMatch(/^(more=\d+|L-.*)$/);
      for (const each of others) expect(each).toMatch(entry);
    }),
  );
});

test("the way is told in the protocols' public names", () => {
  expect(translatedHeader("anthropic", "openai")).toBe("anthropic>openai");
});
