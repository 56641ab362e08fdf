import { describe, expect, test } from "bun:test";
import { readRetryAfter, RETRY_AFTER_MS_MAX, retryAfterMs } from "../../src/wire/retry-after.ts";

const NOW = Date.UTC(1994, 10, 6, 8, 49, 7);

describe("a retry-after value", () => {
  test.each([
    ["0", 0],
    ["1", 1000],
    ["120", 120_000],
    [" 7 ", 7000],
    ["0.174", 174],
    ["86401", RETRY_AFTER_MS_MAX],
    ["999999999999999", RETRY_AFTER_MS_MAX],
    // The three forms of RFC 9110 §5.6.7, thirty seconds from now.
    ["Sun, 06 Nov 1994 08:49:37 GMT", 30_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 30_000],
    ["Sun Nov  6 08:49:37 1994", 30_000],
    // In the past, and far ahead.
    ["Sun, 06 Nov 1994 08:49:00 GMT", 0],
    ["Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MS_MAX],
  ])("%j is %p ms", (value, expected) => expect(retryAfterMs(value, NOW)).toBe(expected));

  const none = "-1|1e9|NaN|Infinity|0x10|1,2|soon|1 s|Jan 1|2026-11-20|Sun, 99 Foo 1994".split("|");
  test.each(["", ...none, "9".repeat(400)])("%j is none", (value) => {
    expect(retryAfterMs(value, NOW)).toBeUndefined();
  });
  test("a date says nothing to who has no clock", () => {
    expect(retryAfterMs("Sun, 06 Nov 1994 08:49:37 GMT", undefined)).toBeUndefined();
  });
});

describe("an answer's headers", () => {
  test.each([
    [{}, undefined],
    [{ "retry-after": "3" }, 3000],
    [{ "retry-after-ms": "494", "retry-after": "1" }, 494],
    [{ "retry-after-ms": "0", "retry-after": "1" }, 1000],
    [{ "retry-after-ms": "0" }, 0],
    [{ "retry-after-ms": "x", "retry-after": "2" }, 2000],
    [{ "retry-after-ms": "99999999999" }, RETRY_AFTER_MS_MAX],
    [{ "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }, undefined],
    [
      {
        "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT",
        date: "Sun, 06 Nov 1994 08:49:07 GMT",
      },
      30_000,
    ],
  ] as [Record<string, string>, number | undefined][])("%j ask for %p ms", (given, expected) => {
    expect(readRetryAfter(new Headers(given))).toBe(expected);
  });
});
