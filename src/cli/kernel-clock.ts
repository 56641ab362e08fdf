import { dlopen } from "bun:ffi";
import type { Ms } from "../core/units.ts";

/** What the kernel itself says of the time: adjtimex(2). */
export interface KernelClock {
  readonly wall: Ms;
  /** Whether a time service keeps it right. */
  readonly isKept: boolean;
}

const NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
/** Longer than `struct timex` is on any 64-bit Linux. */
const TIMEX_BYTES = 512;
/** Bytes before the seconds in it: `modes` to `tolerance`, each of eight. */
const SECONDS_AT = 72;
/** What it answers while nobody keeps the clock. */
const UNKEPT = 5;

/** Undefined where the system has no such call, or forbids it. */
export function kernelClock(): KernelClock | undefined {
  for (const name of NAMES) {
    try {
      const { symbols, close } = dlopen(name, { adjtimex: { args: ["ptr"], returns: "i32" } });
      const timex = new Uint8Array(TIMEX_BYTES); // All zero: it asks, and changes nothing.
      const state = symbols.adjtimex(timex);
      close();
      if (state < 0) return undefined;
      const seconds = new DataView(timex.buffer).getBigInt64(SECONDS_AT, true);
      return { wall: Number(seconds) * 1000, isKept: state !== UNKEPT };
    } catch {
      continue; // Not this system's name for it; undefined when none is.
    }
  }
  return undefined;
}
