import { expect, test } from "bun:test";
import fc from "fast-check";
import { SseScanner } from "../../src/wire/sse.ts";
import { eventEnd } from "../../src/wire/sse-end.ts";

const lines = fc.array(fc.constantFrom("data: a", "data: bc", "", ": c", "event: d"), {
  minLength: 1,
  maxLength: 12,
});

test("the end of an open event is where the scanner is between two events", () => {
  const ends = fc.constantFrom("\n", "\r\n", "\r");
  fc.assert(
    fc.property(lines, ends, fc.nat(), (parts, end, at) => {
      const whole = new TextEncoder().encode(parts.map((part) => part + end).join(""));
      const cut = at % whole.length;
      const scanner = new SseScanner({ onFrame() {} });
      scanner.feed(whole.subarray(0, cut));
      fc.pre(cut > 0 && !scanner.atBoundary);
      const rest = whole.subarray(cut);
      const found = eventEnd(whole.subarray(0, cut), rest);
      let wanted: number | undefined;
      for (let size = 1; size <= rest.length && wanted === undefined; size++) {
        scanner.feed(rest.subarray(size - 1, size));
        if (scanner.atBoundary) wanted = size;
      }
      expect(found).toBe(wanted);
    }),
    { numRuns: 2000 },
  );
});
