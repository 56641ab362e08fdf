import { expect, test } from "bun:test";
import { runWindow } from "../../../src/cli/bench/load.ts";
import { startMock } from "../../../src/cli/bench/mock.ts";
import { startRelay } from "../../../src/cli/bench/relay.ts";
import type { AskKind } from "../../../src/cli/bench/verdict.ts";

test.each<AskKind>(["buffered", "streamed", "bare", "paced"])(
  "the bare relay changes no byte of a %s answer",
  async (kind) => {
    const mock = startMock(0);
    const relay = startRelay(0, `http://127.0.0.1:${mock.port}`);
    const endpoint = { host: "127.0.0.1", port: relay.port, base: "/v1", key: "k", model: "m" };
    const pace = kind === "paced" ? { events: 3, gapMs: 1 } : undefined;
    const report = await runWindow({
      mode: "window",
      errand: { endpoint, kind, pace },
      concurrency: 4,
      warmMs: 20,
      windowMs: 60,
      gateway: [],
      mock: [],
    });
    await relay.stop();
    mock.stop();
    expect(report.failures).toEqual({});
    expect(report.answered).toBeGreaterThan(0);
    expect(report.rewritten).toBe(0);
  },
);
