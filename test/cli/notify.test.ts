import { describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNotifier, sendDatagram, watchdogPeriod } from "../../src/cli/notify.ts";
import { receiveDatagrams } from "../binary/datagrams.ts";
import { SimClock } from "../sim/clock.ts";

const options = { pid: 42, monotonicUs: () => 123n };

test("what systemd is told, word for word as sd_notify(3) has it", async () => {
  using heard = receiveDatagrams(join(mkdtempSync(join(tmpdir(), "notify-")), "notify"));
  const clock = new SimClock();
  const env = { NOTIFY_SOCKET: heard.path, WATCHDOG_USEC: "4000000", WATCHDOG_PID: "42" };
  const notifier = createNotifier({ ...options, env });
  notifier.ready("Serving on http://x/\nREADY=0");
  notifier.reloading();
  notifier.status("so far");
  notifier.mainPid(43);
  notifier.stopping();
  expect(heard.all).toEqual([
    "READY=1\nSTATUS=Serving on http://x/ READY=0",
    "RELOADING=1\nMONOTONIC_USEC=123",
    "STATUS=so far",
    "MAINPID=43",
    "STOPPING=1\nSTATUS=Draining",
  ]);
  const timer = notifier.watchdog(clock);
  await clock.advance(6000);
  timer?.cancel();
  await clock.advance(6000);
  expect(heard.all.slice(5)).toEqual(["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
});

test("without systemd nothing is said, and nothing breaks", () => {
  const notifier = createNotifier({ ...options, env: {} });
  expect(notifier.isOn).toBe(false);
  notifier.ready("x");
  expect(notifier.watchdog(new SimClock())).toBeUndefined();
  expect(sendDatagram("/nonexistent/notify", "x")).toBe(false);
  expect(sendDatagram(`/${"x".repeat(200)}`, "x")).toBe(false);
});

describe("the watchdog is for the process it names", () => {
  test.each([
    [{ WATCHDOG_USEC: "15000000" }, 7500],
    [{ WATCHDOG_USEC: "15000000", WATCHDOG_PID: "42" }, 7500],
    [{ WATCHDOG_USEC: "15000000", WATCHDOG_PID: "41" }, undefined],
    [{ WATCHDOG_USEC: "0" }, undefined],
    [{ WATCHDOG_USEC: "soon" }, undefined],
    [{}, undefined],
  ])("%o", (env, period) => {
    expect(watchdogPeriod(env, 42)).toBe(period);
  });
});
