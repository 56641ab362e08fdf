import { expect, test } from "bun:test";
import {
  machineBusyMs,
  parseBusy,
  parseRss,
  parseStat,
  processTree,
  sample,
} from "../../../src/cli/bench/sample.ts";

const HAS_PROC = process.platform === "linux";

function stat(name: string): string {
  return `4711 (${name}) S 42 4711 4711 0 -1 4194304 1200 0 3 0 250 50 0 0 20 0 9 0 900 1 2 3`;
}

test.each(["interlock", "a b", "x) S 1 (y", ")"])(
  "a process called %p is read by its last parenthesis",
  (name) => {
    expect(parseStat(stat(name))).toEqual({ parent: 42, cpuMs: 3000 });
  },
);

test("what is no process file gives no figure", () => {
  expect(parseStat("")).toBeUndefined();
  expect(parseStat("1 (x) S")).toBeUndefined();
  expect(parseRss("VmSize:\t 10 kB\n")).toBeUndefined();
  expect(parseRss("VmPeak:\t 9 kB\nVmRSS:\t    1024 kB\nRssAnon:\t 1 kB\n")).toBe(1_048_576);
});

test.skipIf(!HAS_PROC)("this process's figures agree with what the runtime says of it", () => {
  const before = process.memoryUsage.rss();
  const own = sample([process.pid]);
  const { user, system } = process.cpuUsage();
  expect(own?.rssBytes).toBeGreaterThan(before / 2);
  expect(own?.rssBytes).toBeLessThan(process.memoryUsage.rss() * 2);
  expect(own?.cpuMs).toBeLessThanOrEqual((user + system) / 1000 + 20);
});

test.skipIf(!HAS_PROC)(
  "a child and its child belong to the tree, and a sum needs all of it",
  async () => {
    const child = Bun.spawn(["sh", "-c", "sleep 60 & wait"]);
    try {
      while (processTree(child.pid).length < 2) await Bun.sleep(1);
      const tree = processTree(child.pid);
      expect(tree[0]).toBe(child.pid);
      expect(processTree(process.pid)).toEqual(expect.arrayContaining([...tree]));
      const whole = sample(tree)?.rssBytes ?? 0;
      expect(whole).toBeGreaterThan(sample([child.pid])?.rssBytes ?? 0);
      expect(sample([...tree, 2 ** 30])).toBeUndefined();
    } finally {
      for (const pid of processTree(child.pid).toReversed()) process.kill(pid, "SIGKILL");
      await child.exited;
    }
  },
);

test("a machine is busy with all but idling and waiting", () => {
  const text = "cpu  1000 20 300 99999 88888 4 5 60 7000 0\ncpu0 1 1 1 1\n";
  expect(parseBusy(text)).toBe((1000 + 20 + 300 + 4 + 5 + 60) * 10);
  expect(parseBusy("")).toBeUndefined();
  if (HAS_PROC) expect(machineBusyMs()).toBeGreaterThan(0);
});

test("no processes at all are no figure", () => {
  expect(sample([])).toBeUndefined();
});
