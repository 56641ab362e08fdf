import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  countsOf,
  mergeExpositions,
  readExposition,
  writeExposition,
} from "../../../src/cli/fleet/merge-metrics.ts";
import { HeapCells } from "../../../src/telemetry/cells.ts";
import { renderMetrics } from "../../../src/telemetry/exposition.ts";
import { Registry } from "../../../src/telemetry/registry.ts";

/** What a process has counted, as amounts by label. */
interface Counted {
  readonly requests: readonly (readonly [label: string, amount: number])[];
  readonly seconds: readonly number[];
  readonly inFlight: number;
}

const label = fc.oneof(fc.constantFrom("a", "b", "other"), fc.string({ unit: "binary" }));
const counted: fc.Arbitrary<Counted> = fc.record({
  requests: fc.array(fc.tuple(label, fc.integer({ min: 1, max: 1000 })), { maxLength: 8 }),
  seconds: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 }),
  inFlight: fc.nat(50),
});

function textOf(all: readonly Counted[]): string {
  const registry = new Registry(new HeapCells());
  const spec = { help: "Some \\ text\nof two lines.", labels: ["model"] as const };
  const requests = registry.counter({ ...spec, name: "gateway_requests_total" });
  const duration = registry.histogram({ ...spec, name: "d_seconds", bounds: [1, 5, 20] });
  const inFlight = registry.gauge({ ...spec, name: "gateway_requests_in_flight", labels: [] });
  for (const each of all) {
    for (const [model, amount] of each.requests) requests.series({ model }).add(amount);
    for (const value of each.seconds) duration.series({ model: "m" }).observe(value);
    inFlight.series({}).add(each.inFlight);
  }
  return renderMetrics(registry);
}

/** Families and samples in no order: where a series stands says nothing. */
function sorted(text: string): readonly string[] {
  return text.split("\n").sort();
}

test("reading and writing back changes no byte", () => {
  fc.assert(
    fc.property(fc.array(counted, { maxLength: 4 }), (all) => {
      const text = textOf(all);
      expect(writeExposition(readExposition(text))).toBe(text);
    }),
  );
});

test("several processes show what one would that had done all their work", () => {
  fc.assert(
    fc.property(fc.array(counted, { minLength: 1, maxLength: 5 }), (all) => {
      const each = all.map((one) => readExposition(textOf([one])));
      const merged = writeExposition(mergeExpositions(each, "processes"));
      expect(sorted(merged)).toEqual(sorted(textOf(all)));
    }),
  );
});

test("what is left of the dead, merged with the living, loses no count", () => {
  fc.assert(
    fc.property(counted, counted, (dead, alive) => {
      const gone = countsOf(readExposition(textOf([dead])), "processes");
      const merged = mergeExpositions([gone, readExposition(textOf([alive]))], "processes");
      const whole = textOf([{ ...dead, inFlight: 0 }, alive]);
      expect(sorted(writeExposition(merged))).toEqual(sorted(whole));
    }),
  );
});

describe("metrics that are no sums", () => {
  const family = (name: string, kind: string, value: number): string =>
    `# HELP ${name} x\n# TYPE ${name} ${kind}\n${name} ${value}\n`;
  const merged = (name: string, kind: string, span: "processes" | "generations"): string => {
    const texts = [family(name, kind, 3), family(name, kind, 5), family(name, kind, 4)];
    return writeExposition(mergeExpositions(texts.map(readExposition), span)).split("\n")[2] ?? "";
  };
  test.each([
    ["process_start_time_seconds", "gauge", 3, 3],
    ["process_resident_memory_bytes", "gauge", 12, 4],
    ["process_cpu_seconds_total", "counter", 12, 4],
    ["gateway_log_lines_dropped_total", "counter", 12, 4],
    ["gateway_build_info", "gauge", 5, 4],
    ["gateway_circuit_breaker_state", "gauge", 5, 4],
    ["gateway_requests_in_flight", "gauge", 12, 12],
    ["gateway_anything_total", "counter", 12, 12],
  ])("%s", (name, kind, processes, generations) => {
    expect(merged(name, kind, "processes")).toBe(`${name} ${processes}`);
    expect(merged(name, kind, "generations")).toBe(`${name} ${generations}`);
  });
});
