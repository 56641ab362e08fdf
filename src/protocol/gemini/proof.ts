import type { Signed } from "../ir/block.ts";

/** A thought signature, as it came: only Google can read it. */
export function readProof(value: string | undefined): Signed | undefined {
  return value === undefined ? undefined : { value, encoding: "plain", family: "google" };
}

/** What stands in `thoughtSignature`: a foreign proof was wrapped before it came here. */
export function writeProof(...proofs: readonly (Signed | undefined)[]): string | undefined {
  return proofs.find((proof) => proof !== undefined)?.value;
}
