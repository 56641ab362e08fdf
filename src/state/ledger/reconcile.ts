import type { Ms } from "../../core/units.ts";
import type { NanoAmount } from "../rate-card/prices.ts";
import type { RateCard } from "../rate-card/rate-card.ts";
import { listedNames } from "../rate-card/model-names.ts";
import type { ExportLine } from "./export.ts";
import { priceSums } from "./priced.ts";
import type { UsageSum } from "./read.ts";

/** One thing that both sides count. */
export type Measure = "requests" | "input" | "output" | "cache_read" | "nano";

/** Where the two sides do not agree. */
export interface Difference {
  readonly day: Ms;
  readonly model: string;
  readonly measure: Measure;
  /** Undefined when we have nothing of that model on that day. */
  readonly ours: bigint | undefined;
  /** Undefined when the provider has nothing. */
  readonly theirs: bigint | undefined;
}

export interface Reconciliation {
  readonly compared: number;
  readonly differences: readonly Difference[];
  readonly ours: NanoAmount;
  /** Undefined when the export has no costs. */
  readonly theirs: NanoAmount | undefined;
}

export interface ReconcileOptions {
  readonly card: RateCard;
  /** Hundredths of a percent by which two counts may differ and still agree. */
  readonly tolerance: bigint;
}

/** Compares what our attempts used with what the provider says, by day and model. */
export function reconcile(
  sums: readonly UsageSum[],
  lines: readonly ExportLine[],
  { card, tolerance }: ReconcileOptions,
): Reconciliation {
  const ours = ourLines(sums, card);
  const theirs = theirLines(lines, new Set([...ours.keys()]));
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  const differences = names.flatMap((name) =>
    compared(name, { ours: ours.get(name), theirs: theirs.get(name), tolerance }),
  );
  const costs = lines.flatMap(({ nano }) => nano ?? []);
  return {
    compared: names.length,
    differences,
    ours: sum([...ours.values()].map(({ nano }) => nano ?? 0n)),
    theirs: costs.length === 0 ? undefined : sum(costs),
  };
}

type Line = { readonly [Name in Measure]: bigint | undefined };

function ourLines(sums: readonly UsageSum[], card: RateCard): Map<string, Line> {
  const groups = priceSums(sums, card, ({ day, model }) => nameOf(day, model));
  return new Map(
    groups.map(({ group, requests, usage, nano, unpriced }) => [
      group ?? "",
      {
        requests: BigInt(requests),
        input: BigInt(usage.inputTokens),
        output: BigInt(usage.outputTokens),
        cache_read: BigInt(usage.cacheReadTokens),
        nano: unpriced.requests > 0 ? undefined : nano,
      },
    ]),
  );
}

/** Exports name a model by its family or by its build; a build goes where ours goes. */
function theirLines(
  lines: readonly ExportLine[],
  ours: ReadonlySet<string>,
): ReadonlyMap<string, Line> {
  const found = new Map<string, Line>();
  for (const line of lines) {
    const own = nameOf(line.day, line.model);
    const alike = [...ours].find((name) => name !== own && sameModel(name, own));
    const name = ours.has(own) || alike === undefined ? own : alike;
    found.set(name, added(found.get(name), lineOf(line)));
  }
  return found;
}

function lineOf(line: ExportLine): Line {
  const count = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));
  return {
    requests: count(line.requests),
    input: count(line.inputTokens),
    output: count(line.outputTokens),
    cache_read: count(line.cacheReadTokens),
    nano: line.nano,
  };
}

function added(a: Line | undefined, b: Line): Line {
  if (a === undefined) return b;
  const both = (x: bigint | undefined, y: bigint | undefined) =>
    x === undefined ? y : x + (y ?? 0n);
  return {
    requests: both(a.requests, b.requests),
    input: both(a.input, b.input),
    output: both(a.output, b.output),
    cache_read: both(a.cache_read, b.cache_read),
    nano: both(a.nano, b.nano),
  };
}

const MEASURES: readonly Measure[] = ["requests", "input", "output", "cache_read", "nano"];

function compared(
  name: string,
  sides: { ours: Line | undefined; theirs: Line | undefined; tolerance: bigint },
): readonly Difference[] {
  const { ours, theirs, tolerance } = sides;
  const place = placeOf(name);
  return MEASURES.flatMap((measure) => {
    const [own, other] = [ours?.[measure], theirs?.[measure]];
    // What one side does not count cannot differ, unless that side has nothing there at all.
    if (
      (own === undefined && ours !== undefined) ||
      (other === undefined && theirs !== undefined)
    ) {
      return [];
    }
    if (agree(own ?? 0n, other ?? 0n, tolerance)) return [];
    return [{ ...place, measure, ours: own, theirs: other }];
  });
}

function agree(a: bigint, b: bigint, tolerance: bigint): boolean {
  const apart = a > b ? a - b : b - a;
  const greater = a > b ? a : b;
  return apart * 10_000n <= greater * tolerance;
}

function nameOf(day: Ms, model: string): string {
  return `${day} ${model.toLowerCase()}`;
}

/** Whether one is the family that the other is a build of; two builds are two models. */
function sameModel(a: string, b: string): boolean {
  const [one, other] = [placeOf(a), placeOf(b)];
  if (one.day !== other.day) return false;
  return (
    listedNames(one.model).names.includes(other.model) ||
    listedNames(other.model).names.includes(one.model)
  );
}

function placeOf(name: string): { readonly day: Ms; readonly model: string } {
  const space = name.indexOf(" ");
  return { day: Number(name.slice(0, space)), model: name.slice(space + 1) };
}

function sum(amounts: readonly NanoAmount[]): NanoAmount {
  return amounts.reduce((total, each) => total + each, 0n);
}
