/** The whole of everything; without it each suite takes a part, another one in every run. */
export const FULL = process.env["INTERLOCK_FULL"] === "1";
/** Printed in the names of suites that draw by it; `INTERLOCK_SEED` replays one. */
export const SEED = Number(process.env["INTERLOCK_SEED"] ?? Date.now() % 1_000_000);
export const DRAWN = FULL ? "" : ` (a part, INTERLOCK_SEED=${SEED})`;

/** At most `count` of a list, drawn by the seed. */
export function some<T>(all: readonly T[], count: number): readonly T[] {
  if (all.length <= count) return all;
  const left = [...all];
  return Array.from({ length: count }, (_, turn) => {
    const place = Number(BigInt.asUintN(32, BigInt(Bun.hash(`${SEED}/${turn}`)))) % left.length;
    return left.splice(place, 1)[0]!;
  });
}
