import type { KeyId } from "../core/ids.ts";
import { Rejection } from "../core/rejection.ts";
import type { Ms } from "../core/units.ts";

/** A started request's hold on the machine. Given back exactly once. */
export interface Permit {
  /** @throws when called twice: a request that ends twice is a bug. */
  release(): void;
}

/** Decides whether a request may start. Synchronous, from memory. */
export interface Governor {
  admit(key: KeyId, now: Ms): Permit | Rejection;
  readonly inFlight: number;
  /** The end is near: answers tell their connections to close, and new requests still get one. */
  sayGoodbye(): void;
  /** From now on nothing new is admitted; what runs may finish. */
  drain(): void;
  readonly draining: boolean;
}

/** How soon to come back when all slots are taken: features.md b-R43's floor for saturation. */
const SATURATED_RETRY_MS: Ms = 2000;

export function createGovernor(limits: { readonly inFlightMax: number }): Governor {
  let inFlight = 0;
  let draining = false;
  let closed = false;
  return {
    admit() {
      if (closed) return new Rejection({ kind: "draining" });
      if (inFlight >= limits.inFlightMax) {
        return new Rejection({ kind: "overloaded", retryAfterMs: SATURATED_RETRY_MS });
      }
      inFlight++;
      let held = true;
      return {
        release() {
          if (!held) throw new Error("a permit was released twice");
          held = false;
          inFlight--;
        },
      };
    },
    get inFlight() {
      return inFlight;
    },
    sayGoodbye() {
      draining = true;
    },
    drain() {
      draining = true;
      closed = true;
    },
    get draining() {
      return draining;
    },
  };
}
