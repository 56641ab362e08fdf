import fc from "fast-check";

/** The same bytes in pieces, cut at any places. */
export function anyPieces(bytes: Buffer): fc.Arbitrary<readonly Buffer[]> {
  return fc
    .uniqueArray(fc.integer({ min: 1, max: Math.max(1, bytes.length - 1) }), { maxLength: 40 })
    .map((cuts) => cutAt(bytes, cuts));
}

/** One byte at a time: every split there is, at once. */
export function singleBytes(bytes: Buffer): readonly Buffer[] {
  return cutAt(
    bytes,
    Array.from({ length: bytes.length - 1 }, (_, index) => index + 1),
  );
}

function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => Buffer.from(bytes.subarray(places[index], end)));
}
