import { expect, test } from "bun:test";
import fc from "fast-check";
import { HeapCells } from "../../src/telemetry/cells.ts";
import { renderMetrics } from "../../src/telemetry/exposition.ts";
import { Registry } from "../../src/telemetry/registry.ts";
import { parsePrometheus } from "./prometheus-text.ts";

/** Text that tries what the format has to escape, and all the rest. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "{", "}", ",", "=", " ", "#", "é") }),
);
const amount = fc.double({ min: 1e-9, max: 1e12, noNaN: true });

/** The scraper sees what arrives after a trip through UTF-8. */
function overTheWire(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

test("counters and gauges parse back to the values that were counted, whatever the labels", () => {
  const series = fc.array(fc.record({ a: hostile, b: hostile, amounts: fc.array(amount) }));
  fc.assert(
    fc.property(series, hostile, (all, help) => {
      const registry = new Registry(new HeapCells());
      const counter = registry.counter({ name: "c_total", help, labels: ["a", "b"] });
      const gauge = registry.gauge({ name: "g", help, labels: ["a", "b"] });
      const sums = new Map<string, number>();
      for (const { a, b, amounts } of all) {
        const key = JSON.stringify([a, b]);
        for (const one of amounts) {
          counter.series({ a, b }).add(one);
          gauge.series({ a, b }).add(-one);
          sums.set(key, (sums.get(key) ?? 0) + one);
        }
      }
      const families = parsePrometheus(renderMetrics(registry));
      for (const [name, sign] of [
        ["c_total", 1],
        ["g", -1],
      ] as const) {
        const family = families.get(name);
        if (sums.size === 0) return expect(family).toBeUndefined();
        expect(family?.help).toBe(help);
        const read = family?.samples.map(({ labels, value }) => [
          JSON.stringify([labels.get("a"), labels.get("b")]),
          value * sign,
        ]);
        expect(new Map(read as [string, number][])).toEqual(sums);
      }
    }),
  );
});

test("a histogram's buckets are cumulative, end at +Inf and agree with count and sum", () => {
  const positive = fc.double({ min: 0.001, max: 600, noNaN: true });
  const cases = fc
    .uniqueArray(positive, { minLength: 1, maxLength: 8 })
    .map((all) => all.toSorted((a, b) => a - b))
    // A value on a bound belongs below it: `le` is "less or equal".
    .chain((le) => fc.tuple(fc.constant(le), fc.array(fc.oneof(positive, fc.constantFrom(...le)))));
  fc.assert(
    fc.property(cases, ([le, seen]) => {
      const registry = new Registry(new HeapCells());
      const spec = { name: "h_seconds", help: "h", labels: ["x"], bounds: le } as const;
      const family = registry.histogram(spec);
      const [histogram, neighbour] = [family.series({ x: "1" }), family.series({ x: "2" })];
      for (const value of seen) {
        histogram.observe(value);
        neighbour.observe(0);
      }
      const all = parsePrometheus(renderMetrics(registry)).get("h_seconds")?.samples ?? [];
      const samples = all.filter(({ labels }) => labels.get("x") === "1");
      const buckets = samples.filter(({ name }) => name === "h_seconds_bucket");
      const expected = [...le, Infinity].map((bound) => seen.filter((v) => v <= bound).length);
      expect(buckets.map(({ value }) => value)).toEqual(expected);
      expect(buckets.at(-1)?.labels.get("le")).toBe("+Inf");
      const valueOf = (name: string) => samples.find((one) => one.name === name)?.value;
      expect(valueOf("h_seconds_count")).toBe(seen.length);
      const sum = seen.reduce((total, value) => total + value, 0);
      expect(valueOf("h_seconds_sum")).toBeCloseTo(sum, 6);
    }),
  );
});

test("a sampled value is spelled as the format wants it, infinities and all", () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.constantFrom(Infinity, -Infinity, NaN)), (value) => {
      const registry = new Registry(new HeapCells());
      const read = () => [[{}, value]] as const;
      registry.sampled({ kind: "gauge", name: "g", help: "", labels: [], read });
      const families = parsePrometheus(renderMetrics(registry));
      expect(families.get("g")?.samples[0]?.value).toBe(Object.is(value, -0) ? 0 : value);
    }),
  );
});

test("a label value arrives over the wire as it was, and opens no second sample", () => {
  fc.assert(
    fc.property(hostile, (value) => {
      const registry = new Registry(new HeapCells());
      registry
        .counter({ name: "c", help: "", labels: ["l"] })
        .series({ l: value })
        .add(1);
      const families = parsePrometheus(overTheWire(renderMetrics(registry)));
      expect(families.get("c")?.samples).toHaveLength(1);
      expect(families.get("c")?.samples[0]?.labels.get("l")).toBe(overTheWire(value));
    }),
  );
});

test("a family without series is left out, head and all", () => {
  const registry = new Registry(new HeapCells());
  registry.counter({ name: "never_total", help: "h", labels: ["l"] });
  expect(renderMetrics(registry)).toBe("");
});
