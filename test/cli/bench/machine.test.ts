import { expect, test } from "bun:test";
import { describeMachine, parseCpuList, planCores } from "../../../src/cli/bench/machine.ts";

test("the kernel's list of cores is read as it writes it", () => {
  expect(parseCpuList("0-3,8,10-11")).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(parseCpuList("0")).toEqual([0]);
  expect(parseCpuList("")).toEqual([]);
});

test("the gateway never shares its core with what measures it", () => {
  const cores = planCores();
  if (cores === undefined) return;
  expect(cores.mock).not.toBe(cores.gateway);
  expect(cores.load).not.toBe(cores.gateway);
});

test("the machine's line names the day, the processor and the runtime", () => {
  const machine = describeMachine();
  expect(machine.date).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  expect(machine.bun).toBe(Bun.version);
  expect(machine.cores).toBeGreaterThan(0);
  expect(machine.load).toHaveLength(3);
});
