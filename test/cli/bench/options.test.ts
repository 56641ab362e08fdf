import { expect, test } from "bun:test";
import { readOptions } from "../../../src/cli/bench/options.ts";
import type { BenchOptions } from "../../../src/cli/bench/options.ts";

function read(...argv: readonly string[]): BenchOptions {
  const options = readOptions(argv);
  if ("problem" in options) throw new Error(options.problem);
  return options;
}

test("nothing given is a whole short run", () => {
  expect(read()).toEqual({
    seconds: 2,
    windows: 3,
    concurrencies: [1, 8, 64],
    streams: undefined,
    mockPort: 0,
    json: false,
    targets: [],
  });
});

test("every number can be given", () => {
  const argv = "--seconds 0.5 --windows 5 --concurrency 1,4 --streams 9000 --mock-port 9001 --json";
  expect(read(...argv.split(" "))).toEqual({
    seconds: 0.5,
    windows: 5,
    concurrencies: [1, 4],
    streams: 9000,
    mockPort: 9001,
    json: true,
    targets: [],
  });
});

test("a key, a model and a pid belong to the target before them", () => {
  const one = ["--target", "one=http://127.0.0.1:4000/v1", "--target-model", "m1"];
  const two = ["--target=http://box:5000/v1", "--target-key", "k2", "--target-pid", "42"];
  expect(read(...one, ...two).targets).toEqual([
    {
      name: "one",
      url: new URL("http://127.0.0.1:4000/v1"),
      key: "bench",
      model: "m1",
      pid: undefined,
    },
    { name: "box:5000", url: new URL("http://box:5000/v1"), key: "k2", model: "bench", pid: 42 },
  ]);
});

test.each([
  ["--seconds", "0"],
  ["--seconds", "1e9"],
  ["--seconds", ""],
  ["--windows", "2"],
  ["--concurrency", "1,,2"],
  ["--concurrency", "1.5"],
  ["--streams", "60000"],
  ["--mock-port", "70000"],
  ["--target", "https://example.com/v1"],
  ["--target", "not a url"],
  ["--target-key", "before any target"],
  ["--unknown", "x"],
])("%s %p is refused with a reason", (name, value) => {
  const options = readOptions([name, value]);
  expect(options).toHaveProperty("problem");
  expect(JSON.stringify(options)).toContain(name);
});
