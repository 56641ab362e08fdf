import { randomBytes } from "node:crypto";
import type { Random } from "./runtime.ts";

const POOL_BYTES = 4096;

/** Identifiers draw from a pool of operating-system bytes: one call to it serves 512 of them. */
function pooledHex(): (length: number) => string {
  let pool = "";
  let at = 0;
  return (length) => {
    const digits = length * 2;
    if (at + digits > pool.length) {
      pool = randomBytes(Math.max(POOL_BYTES, length)).toString("hex");
      at = 0;
    }
    at += digits;
    return pool.slice(at - digits, at);
  };
}

export const systemRandom: Random = { next: () => Math.random(), hex: pooledHex() };
