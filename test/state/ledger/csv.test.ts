import { expect, test } from "bun:test";
import fc from "fast-check";
import { readCsv, writeCsv } from "../../../src/state/ledger/csv.ts";

const cell = fc.string({ unit: fc.constantFrom("a", "1", " ", ",", '"', "\n", ";", "é") });

test("what is written is read again", () => {
  const row = fc.array(cell, { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      // The header decides the separator; empty rows are nobody's.
      const all = [["one", "two", "three"], ...rows.filter((r) => r.some((c) => c !== ""))];
      expect(readCsv(writeCsv(all))).toEqual(all);
    }),
  );
});

test.each([
  [
    "a;b\r\n1;2\r\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "\ufeffa\tb\n1\t2",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    '"a ""x""",b\n"1\n2",3\n',
    [
      ['a "x"', "b"],
      ["1\n2", "3"],
    ],
  ],
  [
    "a,b\n\n\n1,2\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  ['a,b\n"broken,1\n', [["a", "b"], ["broken,1\n"]]],
  ["", []],
])("%j is %j", (text, rows) => expect(readCsv(text)).toEqual(rows));

test.each(["=1+1", "+1", "@SUM(A1)", "\tx", "-cmd"])(
  "%j is no formula in a spreadsheet",
  (text) => {
    expect(writeCsv([[text]])).toStartWith("'");
  },
);
test("a negative number stays one", () => expect(writeCsv([["-5.2", -3]])).toBe("-5.2,-3\n"));
