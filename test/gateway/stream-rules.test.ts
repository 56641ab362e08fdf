import { expect, test } from "bun:test";
import fc from "fast-check";
import { UNLIMITED } from "../../src/core/limits.ts";
import { KeyWatch } from "../../src/gateway/stream-rules.ts";
import { ANONYMOUS, type Key } from "../../src/ingress/authenticate.ts";
import { SimClock } from "../sim/clock.ts";

/** A stream that notes why it was stopped, and ends its watching as the real one does. */
function watchedBy(watch: KeyWatch, key: Key) {
  const stops: string[] = [];
  const unwatch = watch.watch(key, {
    leave() {},
    stop(why) {
      stops.push(why);
      unwatch?.();
    },
  });
  return { stops, unwatch };
}

test("a stream is ended within a second after its key is, and no other", async () => {
  const when = fc.option(fc.integer({ min: 0, max: 5000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(when, { minLength: 1, maxLength: 8 }), async (revocations) => {
      const clock = new SimClock();
      const watch = new KeyWatch(clock);
      const valid = revocations.map(() => true);
      const streams = revocations.map((at, index) => {
        if (at !== null) clock.after(at, () => void (valid[index] = false));
        return watchedBy(watch, { ...ANONYMOUS, isValid: () => valid[index]! });
      });
      for (let now = 0; now <= 7000; now += 500) {
        streams.forEach(({ stops }, index) => {
          const at = revocations[index]!;
          if (at === null || now < at) expect(stops).toEqual([]);
          else if (now >= at + 1000) expect(stops).toEqual(["key_revoked"]);
        });
        await clock.advance(500);
      }
      for (const { unwatch } of streams) unwatch?.();
      expect(clock.armed).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test("a stream ends when its key expires", async () => {
  const clock = new SimClock();
  const watch = new KeyWatch(clock);
  const limits = { ...UNLIMITED, expiresAt: clock.wall() + 3000 };
  const { stops } = watchedBy(watch, { ...ANONYMOUS, limits });
  await clock.advance(3000);
  expect(stops).toEqual([]);
  await clock.advance(1000);
  expect(stops).toEqual(["key_revoked"]);
});

test("a key that cannot end is not looked after", () => {
  const clock = new SimClock();
  expect(watchedBy(new KeyWatch(clock), ANONYMOUS).unwatch).toBeUndefined();
  expect(clock.armed).toBe(0);
});
