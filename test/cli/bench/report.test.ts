import { expect, test } from "bun:test";
import { report } from "../../../src/cli/bench/report.ts";
import type { BenchResult } from "../../../src/cli/bench/result.ts";

const WINDOW = {
  answered: 1500,
  answeredInAll: 2000,
  rewritten: 4,
  failures: { "status 429": 1234 },
  latency: { count: 1500, mean: 90, p50: 90, p90: 100, p99: 1500, max: 2000 },
  firstEvent: undefined,
  eventLag: undefined,
  windowMs: 1000,
  gatewayCpuMs: 60,
  gatewayRssBytes: 40e6,
  loadCpuMs: 400,
  mockCpuMs: 200,
  othersCpuMs: 50,
};
const RESULT: BenchResult = {
  machine: {
    date: "2026-01-02 03:04:05 UTC",
    cpu: "Some CPU",
    cores: 2,
    kernel: "Linux 6",
    bun: "1.4.4",
    interlock: "0.1.0",
    load: [0.5, 0.4, 0.3],
  },
  command: "interlock bench --seconds 1",
  cores: { gateway: 0, mock: 1, load: 1 },
  seconds: 1,
  windows: 3,
  sizes: { requestBytes: 1478, answerBytes: 450, streamBytes: 14278, streamEvents: 67 },
  cases: [
    {
      case: { kind: "buffered", concurrency: 8, pace: undefined },
      contenders: [{ name: "relay", windows: [WINDOW, WINDOW, WINDOW] }],
    },
  ],
  holds: [],
  memory: [{ name: "relay", idleBytes: 20e6, loadBytes: 40e6, afterBytes: 30e6 }],
  coldStarts: [{ name: "relay", ms: [15, 17, 16] }],
  refused: [{ name: "peer", why: "buffered: status 401: no key" }],
  clean: false,
};

test("a figure stands with its machine, its command and its method", () => {
  const text = report(RESULT);
  for (const part of [
    "Some CPU",
    "Linux 6",
    "Bun 1.4.4",
    "interlock bench --seconds 1",
    "core 0",
  ]) {
    expect(text).toContain(part);
  }
  expect(text).toMatch(/relay +1,500 \(1,500-1,500\) +90 µs +1\.50 ms/);
  expect(text).toMatch(/relay +20 MB +40 MB +30 MB/);
  expect(text).toMatch(/relay +16\.0 ms +15\.0 ms +17\.0 ms +3/);
});

test("every failure and every contender left out is published", () => {
  const text = report(RESULT);
  expect(text).toContain("relay, buffered at 8: status 429, 1,234 times");
  expect(text).toContain(
    "peer gave no right answer and was left out: buffered: status 401: no key",
  );
  expect(text).toMatch(/ 3,702 +12$/m);
});

test("a run that could not pin its processes says so", () => {
  expect(report({ ...RESULT, cores: undefined })).toContain("nothing pinned");
});

test("a machine that was busy with something else is not passed over in silence", () => {
  expect(report(RESULT)).toContain("other programs used 5 % of one core");
  expect(report(RESULT)).not.toContain("NOT IDLE");
  const disturbed = { ...WINDOW, othersCpuMs: 300 };
  const cases = RESULT.cases.map((entry) => ({
    ...entry,
    contenders: [{ name: "relay", windows: [disturbed, disturbed, WINDOW] }],
  }));
  expect(report({ ...RESULT, cases })).toContain("THE MACHINE WAS NOT IDLE");
});

test("columns stand under their headings", () => {
  const [header = "", row = ""] = report(RESULT)
    .split("\n")
    .filter((line) => /requests\/s|^ +relay +1,500/.test(line));
  expect(row.length).toBe(header.length);
});
