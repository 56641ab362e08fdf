import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { BudgetAlert } from "../../src/core/alert.ts";
import { Secret } from "../../src/core/secret.ts";
import { type Told, Webhook } from "../../src/upstream/webhook.ts";
import { SimClock } from "../sim/clock.ts";
import { simNetwork, SOMEWHERE, type SimNetworkOptions } from "../sim/network.ts";

const ALERT: BudgetAlert = {
  ...{ id: "key app usd monthly 50 2026-11 80", whose: "key", name: "app", percent: 80 },
  ...{ unit: "usd", spent: 40_500_000_000, limit: 50_000_000_000, refused: false },
  ...{ period: "monthly", periodName: "2026-11" },
};
const WALL = Date.UTC(2026, 10, 20);
const SECRET = "s".repeat(32);

function rig(url: string, options: Partial<SimNetworkOptions> = {}) {
  const told: Told[] = [];
  const clock = new SimClock();
  const network = simNetwork({ answer: () => new Response(), ...options });
  const config = { url: new URL(url), secret: new Secret(SECRET) };
  const onTold = (how: Told) => void told.push(how);
  const webhook = new Webhook(config, { network, clock, userAgent: "interlock/test", onTold });
  return { webhook, clock, network, told };
}

test("an alert is told whole, as JSON, signed over its bytes, and of nothing else", async () => {
  const { webhook, clock, network, told } = rig("https://hooks.example.com/a/b?c=d");
  webhook.tell(ALERT, WALL);
  await clock.advance(0);
  expect(told).toEqual(["sent"]);
  const [{ url, headers, body, init }] = network.sent as [(typeof network.sent)[0]];
  expect(url).toBe(`https://${SOMEWHERE}/a/b?c=d`);
  expect(JSON.parse(body)).toEqual({
    ...{ event: "budget", id: ALERT.id, at: "2026-11-20T00:00:00.000Z", key: "app", percent: 80 },
    ...{ refused: false, unit: "usd", spent: 40.5, limit: 50 },
    ...{ period: "monthly", period_name: "2026-11" },
  });
  const mac = new Bun.CryptoHasher("sha256", SECRET).update(body).digest("hex");
  expect(headers).toEqual({
    "content-type": "application/json",
    host: "hooks.example.com",
    "user-agent": "interlock/test",
    "x-interlock-signature": `sha256=${mac}`,
  });
  expect([init.redirect, init.proxy]).toEqual(["manual", false]);
  expect(clock.armed).toBe(0);
});

describe("it goes where the operator said and nowhere else", () => {
  test("whatever redirects it gets", async () => {
    const answer = () => new Response(null, { status: 307, headers: { location: "http://evil/" } });
    const { webhook, clock, network, told } = rig("https://hooks.example.com/", { answer });
    webhook.tell(ALERT, WALL);
    await clock.advance(60_000);
    expect(told).toEqual(["failed"]);
    expect(new Set(network.sent.map(({ origin }) => origin))).toEqual(
      new Set([`https://${SOMEWHERE}`]),
    );
  });

  test.each([
    [["10.0.0.7"], "sent", ["http://10.0.0.7:9093"]],
    [["93.184.216.34"], "failed", []],
    [["10.0.0.7", "93.184.216.34"], "failed", []],
    [["169.254.169.254"], "failed", []],
    [[], "failed", []],
  ])("over plain http to private addresses alone: %j", async (addresses, how, dialled) => {
    const resolve = () => addresses;
    const { webhook, clock, network, told } = rig("http://alerts:9093/x", { resolve });
    webhook.tell(ALERT, WALL);
    await clock.advance(60_000);
    expect(told).toEqual([how as Told]);
    expect(network.sent.map(({ origin }) => origin)).toEqual(dialled);
  });
});

test("whatever goes wrong, each is tried again for a while and counted once in the end", async () => {
  const fate = fc.constantFrom("ok", "error", "throw", "never");
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { maxLength: 12 }), fc.nat(80), async (fates, count) => {
      let call = 0;
      const { webhook, clock, told, network } = rig("https://hooks.example.com/", {
        answer({ init }) {
          const next = fates[call++] ?? "ok";
          if (next === "throw") throw new Error("reset");
          if (next !== "never") return new Response(null, { status: next === "ok" ? 204 : 500 });
          return new Promise((_, reject) => {
            init.signal!.addEventListener("abort", () => reject(new Error("aborted")));
          });
        },
      });
      for (let at = 0; at < count; at++) webhook.tell(ALERT, WALL);
      await clock.advance(120_000);
      expect(told).toHaveLength(count);
      expect(told.filter((how) => how === "dropped")).toHaveLength(Math.max(0, count - 64));
      expect(network.sent.length).toBeLessThanOrEqual(4 * Math.min(count, 64));
      expect(clock.armed).toBe(0);
    }),
    { numRuns: 30 },
  );
});
