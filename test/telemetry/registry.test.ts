import { expect, test } from "bun:test";
import fc from "fast-check";
import { HeapCells } from "../../src/telemetry/cells.ts";
import { renderMetrics } from "../../src/telemetry/exposition.ts";
import { OTHER, Registry, SERIES_MAX } from "../../src/telemetry/registry.ts";
import { parsePrometheus } from "./prometheus-text.ts";

test("a family stops at its cap and counts the rest together, losing nothing", () => {
  const registry = new Registry(new HeapCells());
  const counter = registry.counter({ name: "c_total", help: "", labels: ["a", "b"] });
  const asked = SERIES_MAX * 3;
  for (let at = 0; at < asked; at++) counter.series({ a: `${at}`, b: "x" }).add(1);
  const samples = parsePrometheus(renderMetrics(registry)).get("c_total")?.samples ?? [];
  expect(samples).toHaveLength(SERIES_MAX + 1);
  expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(asked);
  const rest = samples.find(({ labels }) => labels.get("a") === OTHER);
  expect(rest?.value).toBe(asked - SERIES_MAX);
  expect(rest?.labels.get("b")).toBe(OTHER);
});

test("a full family still finds the series it has", () => {
  const registry = new Registry(new HeapCells());
  const counter = registry.counter({ name: "c_total", help: "", labels: ["a"] });
  const first = counter.series({ a: "first" });
  for (let at = 0; at < SERIES_MAX * 2; at++) counter.series({ a: `${at}` });
  expect(counter.series({ a: "first" })).toBe(first);
});

test("different labels never share a series, the same labels always do", () => {
  const text = fc.string({ unit: fc.constantFrom('"', ",", "=", "\\", "\n", "n", "b", "\0") });
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      const counter = new Registry(new HeapCells()).counter({
        name: "c",
        help: "",
        labels: ["a", "b"],
      });
      const same = counter.series({ a, b }) === counter.series({ a: c, b: d });
      expect(same).toBe(a === c && b === d);
    }),
  );
});

test("a counter only goes up, and no number spoils it", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (amounts) => {
      const registry = new Registry(new HeapCells());
      const counter = registry.counter({ name: "c", help: "", labels: [] }).series({});
      let before = 0;
      for (const one of amounts.map((each) => each % 1e9)) {
        counter.add(one);
        expect(counter.value()).toBeGreaterThanOrEqual(before);
        before = counter.value();
      }
      counter.add(Infinity);
      counter.add(NaN);
      counter.add(-1);
      expect(counter.value()).toBe(before);
    }),
  );
});

test("a histogram and a gauge take no NaN and no infinity", () => {
  const registry = new Registry(new HeapCells());
  const histogram = registry.histogram({ name: "h", help: "", labels: [], bounds: [1] }).series({});
  const gauge = registry.gauge({ name: "g", help: "", labels: [] }).series({});
  for (const bad of [NaN, Infinity, -Infinity]) {
    histogram.observe(bad);
    gauge.add(bad);
    gauge.set(bad);
  }
  histogram.observe(-1);
  expect(renderMetrics(registry)).toContain("h_count 0\n");
  expect(gauge.value()).toBe(0);
});

test("a metric registered twice is a bug", () => {
  const registry = new Registry(new HeapCells());
  registry.counter({ name: "c", help: "", labels: [] });
  expect(() => registry.gauge({ name: "c", help: "", labels: [] })).toThrow("c registered twice");
});
