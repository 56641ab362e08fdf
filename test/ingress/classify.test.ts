import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Privacy } from "../../src/core/privacy.ts";
import { classOf, type Signals } from "../../src/ingress/classify.ts";

const NONE: Signals = {
  fallback: "shareable",
  key: undefined,
  target: undefined,
  header: null,
  body: undefined,
};
const privacy = fc.constantFrom<Privacy>("private", "shareable");
const maybe = fc.option(privacy, { nil: undefined });
const mark = fc.option(fc.oneof(privacy, fc.string()), { nil: undefined });
const signals: fc.Arbitrary<Signals> = fc.record({
  fallback: privacy,
  key: maybe,
  target: maybe,
  header: mark.map((text) => text ?? null),
  body: mark,
});

test("an unmarked request is what its key says, else the default", () => {
  expect(classOf(NONE)).toBe("shareable");
  expect(classOf({ ...NONE, fallback: "private" })).toBe("private");
  expect(classOf({ ...NONE, fallback: "private", key: "shareable" })).toBe("shareable");
  expect(classOf({ ...NONE, key: "private" })).toBe("private");
});

test("no signal loosens: adding any mark never turns private into shareable", () => {
  fc.assert(
    fc.property(signals, mark, mark, (given, header, body) => {
      const before = classOf({ ...given, header: null, body: undefined });
      const after = classOf({ ...given, header: header ?? null, body });
      if (before === "private") expect(after).toBe("private");
    }),
  );
});

test("every mark that is not plainly shareable makes a request private", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const wanted = text.trim().toLowerCase() === "shareable" ? "shareable" : "private";
      expect(classOf({ ...NONE, header: text })).toBe(wanted);
      expect(classOf({ ...NONE, body: text })).toBe(wanted);
    }),
  );
});

describe("each signal alone makes a request private", () => {
  test.each<Partial<Signals>>([
    { fallback: "private" },
    { key: "private" },
    { target: "private" },
    { header: "private" },
    { header: "PRIVATE " },
    { header: "" },
    { body: "private" },
    { body: "{}" },
  ])("%p", (signal) => expect(classOf({ ...NONE, ...signal })).toBe("private"));
});
