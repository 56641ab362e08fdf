import fc from "fast-check";
import { CALENDAR_PERIODS } from "../../../src/core/limits.ts";
import type { KeyLimits } from "../../../src/state/keys/key-limits.ts";

const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const period = fc.oneof(
  fc.constantFrom(...CALENDAR_PERIODS),
  fc.record({ rollingMs: fc.integer({ min: 1, max: 1e12 }) }),
);
const names = fc.array(fc.string({ minLength: 1 }));
/** Any limits a key may have. */
export const limits: fc.Arbitrary<KeyLimits> = fc.record(
  {
    requestsPerMinute: count,
    tokensPerMinute: count,
    concurrency: count,
    budget: fc.record({ nano: fc.nat(), tokens: fc.nat(), period }),
    privacy: fc.constantFrom("private", "shareable"),
    allow: names,
    zones: names,
  },
  { requiredKeys: [] },
);
