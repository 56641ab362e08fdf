import { describe, expect, test } from "bun:test";
import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  prepareRunFiles,
  readPids,
  runFiles,
  stateDirectory,
  writePids,
} from "../../../src/cli/fleet/state-directory.ts";

describe("where state is kept", () => {
  test.each([
    [{ INTERLOCK_STATE_DIR: "/a", STATE_DIRECTORY: "/b", HOME: "/h" }, "/a"],
    [{ STATE_DIRECTORY: "/b:/c", XDG_STATE_HOME: "/x", HOME: "/h" }, "/b"],
    [{ XDG_STATE_HOME: "/x", HOME: "/h" }, "/x/interlock"],
    [{ HOME: "/h" }, "/h/.local/state/interlock"],
    [{ INTERLOCK_STATE_DIR: "", HOME: "/h" }, "/h/.local/state/interlock"],
    [{}, undefined],
  ])("%o", (env, directory) => {
    expect(stateDirectory(env)).toBe(directory);
  });
});

test("two gateways have two sets of files, and no host makes a path of its own", () => {
  const paths = ["127.0.0.1", "::1", "../../etc"].map((host) => runFiles("/s", { host, port: 1 }));
  expect(new Set(paths.map(({ socket }) => socket)).size).toBe(3);
  for (const { socket, pid } of paths) {
    expect(join(socket, "..")).toBe("/s/run");
    expect(join(pid, "..")).toBe("/s/run");
  }
});

test("only the owner may look in", () => {
  const files = runFiles(mkdtempSync(join(tmpdir(), "state-")), { host: "h", port: 1 });
  expect(prepareRunFiles(files)).toBeUndefined();
  expect(statSync(join(files.socket, "..")).mode & 0o777).toBe(0o700);
  writePids(files.pid, [1, 22]);
  expect(statSync(files.pid).mode & 0o777).toBe(0o600);
  expect(readPids(files.pid)).toEqual([1, 22]);
  expect(readPids("/nonexistent")).toEqual([]);
});

test("what cannot be had is said, with the way out", () => {
  const long = runFiles(`/tmp/${"x".repeat(120)}`, { host: "h", port: 1 });
  expect(prepareRunFiles(long)).toContain("INTERLOCK_STATE_DIR");
  expect(prepareRunFiles(runFiles("/proc/nowhere", { host: "h", port: 1 }))).toContain("/proc");
});
