import { expect, test } from "bun:test";
import { runWindow, type WindowReport } from "../../../src/cli/bench/load.ts";
import { startMock } from "../../../src/cli/bench/mock.ts";
import { startRelay } from "../../../src/cli/bench/relay.ts";
import type { AskKind } from "../../../src/cli/bench/verdict.ts";

/** The longest window it is given to answer something in. */
const LONGEST_MS = 4000;

test.each<AskKind>(["buffered", "streamed", "bare", "paced"])(
  "the bare relay changes no byte of a %s answer",
  async (kind) => {
    const mock = startMock(0);
    const relay = startRelay(0, `http://127.0.0.1:${mock.port}`);
    const endpoint = { host: "127.0.0.1", port: relay.port, base: "/v1", key: "k", model: "m" };
    const pace = kind === "paced" ? { events: 3, gapMs: 1 } : undefined;
    let report: WindowReport;
    let windowMs = 60;
    do {
      const errand = { endpoint, kind, pace };
      const rest = { concurrency: 4, warmMs: 20, gateway: [], mock: [] };
      report = await runWindow({ mode: "window", errand, windowMs, ...rest });
      windowMs *= 4; // A busy machine may answer nothing in a short one.
    } while (report.answered === 0 && windowMs <= LONGEST_MS);
    await relay.stop();
    mock.stop();
    expect(report.failures).toEqual({});
    expect(report.answered).toBeGreaterThan(0);
    expect(report.rewritten).toBe(0);
  },
  30_000,
);
