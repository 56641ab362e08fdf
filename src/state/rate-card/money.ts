import type { NanoAmount } from "./prices.ts";

const NANO_DIGITS = 9;
const DECIMAL = /^(\d{1,9})(?:\.(\d{1,9}))?$/;

/** Dollars as they are written, `2.50` or `0.0375`, to nano-dollars; else undefined. */
export function nanoOfDollars(text: string): NanoAmount | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, whole = "0", part = ""] = match;
  return BigInt(whole + part.padEnd(NANO_DIGITS, "0"));
}

/** Nano-dollars as exact dollars, without the noughts at the end: `0.0375`, `-12`. */
export function dollarsOfNano(nano: NanoAmount): string {
  const digits = (nano < 0n ? -nano : nano).toString().padStart(NANO_DIGITS + 1, "0");
  const whole = digits.slice(0, -NANO_DIGITS);
  const part = digits.slice(-NANO_DIGITS).replace(/0+$/, "");
  return `${nano < 0n ? "-" : ""}${whole}${part === "" ? "" : `.${part}`}`;
}

/** Nano-dollars for people: cents, or as many digits as an amount below a cent needs. */
export function dollarText(nano: NanoAmount): string {
  const size = nano < 0n ? -nano : nano;
  const digits = size === 0n || size >= 10_000_000n ? 2 : 6;
  const unit = 10n ** BigInt(NANO_DIGITS - digits);
  const rounded = ((size + unit / 2n) / unit).toString().padStart(digits + 1, "0");
  const whole = rounded.slice(0, -digits).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${nano < 0n ? "-" : ""}$${whole}.${rounded.slice(-digits)}`;
}
