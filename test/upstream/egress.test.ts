import { BlockList, isIPv6 } from "node:net";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ReachTarget, SessionOptions } from "../../src/runtime/runtime.ts";
import { createEgress, type Dialled } from "../../src/upstream/egress.ts";
import { SimClock } from "../sim/clock.ts";
import { backendOf, type FieldsGiven } from "./pieces.ts";

interface Wire {
  /** What each look-up answers, in turn; the last one from then on. Undefined fails. */
  readonly answers?: readonly (readonly string[] | undefined)[];
  readonly reaches?: (target: ReachTarget) => boolean | Promise<boolean>;
}

function rig(given: FieldsGiven, placement: "local" | "external", wire: Wire = {}) {
  const clock = new SimClock();
  const looked: string[] = [];
  const reached: ReachTarget[] = [];
  const sessions: SessionOptions[] = [];
  const egress = createEgress(backendOf(given, placement), {
    clock,
    network: {
      resolve(host) {
        looked.push(host);
        const { answers = [] } = wire;
        const answer = answers[Math.min(looked.length, answers.length) - 1];
        return answer ? Promise.resolve(answer) : Promise.reject(new Error("ENOTFOUND"));
      },
      session(options) {
        sessions.push(options);
        return { fetch: () => Promise.reject(new Error("not here")), close() {} };
      },
      reach(target) {
        reached.push(target);
        return Promise.resolve(wire.reaches?.(target) ?? true);
      },
    },
  });
  return { clock, looked, reached, sessions, egress };
}
const NAMED = { url: "http://gpu.lan:8000/v1" };

describe("a local backend known by name", () => {
  test("is dialled at the address that was checked, under its own name", async () => {
    const { egress, looked } = rig(NAMED, "local", { answers: [["10.0.0.7"]] });
    expect(await egress.dial()).toEqual({
      origin: "http://10.0.0.7:8000",
      host: "gpu.lan:8000",
      reach: { host: "10.0.0.7", port: 8000, unix: undefined, tlsServerName: undefined },
    });
    expect(looked).toEqual(["gpu.lan"]);
  });

  test("may stand at an IPv6 address, and its certificate is for its name", async () => {
    const url = "https://gpu.lan/v1";
    const { egress, sessions } = rig({ url }, "local", { answers: [["fd00::7"]] });
    expect(await egress.dial()).toEqual({
      origin: "https://[fd00::7]",
      host: "gpu.lan",
      reach: { host: "fd00::7", port: 443, unix: undefined, tlsServerName: "gpu.lan" },
    });
    expect(sessions).toEqual([{ proxy: undefined, unix: undefined, serverName: "gpu.lan" }]);
  });

  test("is refused when any of its addresses is not private, by node's own reckoning", async () => {
    const ours = new BlockList();
    const ranges =
      "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 ::1/128 fc00::/7 fe80::/10";
    for (const range of ranges.split(" ")) {
      const [net = "", bits] = range.split("/");
      ours.addSubnet(net, Number(bits), isIPv6(net) ? "ipv6" : "ipv4");
    }
    // Whoever reaches these gets the machine's own credentials, whatever range they sit in.
    const metadata = ["169.254.169.254", "169.254.170.2", "fd00:ec2::254"];
    const near = fc.constantFrom(
      ...["127.0.0.1", "10.255.0.1", "172.31.0.9", "192.168.1.1", "169.254.1.1", "::1", "fd12::1"],
    );
    const address = fc.oneof(
      { weight: 6, arbitrary: near },
      { weight: 2, arbitrary: fc.ipV4() },
      { weight: 1, arbitrary: fc.ipV6().filter(isIPv6) },
      { weight: 1, arbitrary: fc.constantFrom(...metadata) },
    );
    const isOurs = (text: string): boolean =>
      ours.check(text, isIPv6(text) ? "ipv6" : "ipv4") && !metadata.includes(text);
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 4 }), async (addresses) => {
        const dialled = await rig(NAMED, "local", { answers: [addresses] }).egress.dial();
        if (!addresses.every(isOurs)) expect(dialled).toEqual({ refused: "public_address" });
        else expect(addresses).toContain((dialled as Dialled).reach.host);
      }),
    );
  });

  test("is looked up anew after five seconds and not before, and judged anew", async () => {
    const answers = [["10.0.0.7"], ["10.0.0.8"], ["8.8.8.8"], ["8.8.8.8"], ["10.0.0.9"]];
    const { egress, looked, clock } = rig(NAMED, "local", { answers });
    const origin = async () => ({ host: "refused", ...(await egress.dial()) });
    expect(await origin()).toMatchObject({ origin: "http://10.0.0.7:8000" });
    await clock.advance(4999);
    expect(await origin()).toMatchObject({ origin: "http://10.0.0.7:8000" });
    expect(looked).toHaveLength(1);
    await clock.advance(1);
    expect(await origin()).toMatchObject({ origin: "http://10.0.0.8:8000" });
    await clock.advance(5000);
    expect(await origin()).toEqual({ host: "refused", refused: "public_address" });
    expect(await origin()).toEqual({ host: "refused", refused: "public_address" });
    expect(await origin()).toMatchObject({ origin: "http://10.0.0.9:8000" });
  });

  test("without an address is not dialled, and is asked for again the next time", async () => {
    const { egress } = rig(NAMED, "local", { answers: [undefined, [], ["10.0.0.7"]] });
    expect(await egress.dial()).toEqual({ refused: "unresolved" });
    expect(await egress.dial()).toEqual({ refused: "unresolved" });
    expect(await egress.dial()).toMatchObject({ origin: "http://10.0.0.7:8000" });
  });

  test("may have a public address when the operator vouches for it: that one is dialled", async () => {
    const given = { ...NAMED, operatorControlled: true };
    const { egress } = rig(given, "local", { answers: [["8.8.8.8"]] });
    expect(await egress.dial()).toMatchObject({
      origin: "http://8.8.8.8:8000",
      host: "gpu.lan:8000",
    });
  });

  test("with several addresses is dialled at the first that can be reached, else at the first", async () => {
    const answers = [["::1", "127.0.0.1", "10.0.0.7"]];
    const v4Only = rig(NAMED, "local", { answers, reaches: ({ host }) => host === "127.0.0.1" });
    expect(await v4Only.egress.dial()).toMatchObject({ origin: "http://127.0.0.1:8000" });
    expect(v4Only.reached.map(({ host }) => host)).toEqual(["::1", "127.0.0.1"]);
    const none = rig(NAMED, "local", { answers, reaches: () => false });
    expect(await none.egress.dial()).toMatchObject({ origin: "http://[::1]:8000" });
  });
});

describe("an external backend known by name", () => {
  const EXTERNAL = { url: "https://api.example/v1" };

  test("is dialled at the address that was checked, under its own name and certificate", async () => {
    const { egress, sessions } = rig(EXTERNAL, "external", { answers: [["93.184.216.34"]] });
    expect(await egress.dial()).toEqual({
      origin: "https://93.184.216.34",
      host: "api.example",
      reach: { host: "93.184.216.34", port: 443, unix: undefined, tlsServerName: "api.example" },
    });
    expect(sessions).toEqual([{ proxy: undefined, unix: undefined, serverName: "api.example" }]);
  });

  test("is refused when any of its addresses is no public one, by node's own reckoning", async () => {
    const inside = new BlockList();
    const ranges =
      "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 " +
      "224.0.0.0/3 ::/128 ::1/128 fc00::/7 fe80::/10 fec0::/10 ff00::/8";
    for (const range of ranges.split(" ")) {
      const [net = "", bits] = range.split("/");
      inside.addSubnet(net, Number(bits), isIPv6(net) ? "ipv6" : "ipv4");
    }
    // Wrapped in IPv6 they are what they were; Azure's and Oracle's own stand among public ones.
    const special = [
      "168.63.129.16",
      "192.0.0.192",
      "64:ff9b::a00:7",
      "2002:a00:7::",
      "::10.0.0.7",
    ];
    const isInside = (text: string): boolean =>
      special.includes(text) || inside.check(text, isIPv6(text) ? "ipv6" : "ipv4");
    const address = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom("93.184.216.34", "2606:4700::1111", "1.1.1.1") },
      { weight: 2, arbitrary: fc.ipV4() },
      { weight: 1, arbitrary: fc.constantFrom("10.0.0.7", "127.0.0.1", "::1", "fd00::7") },
      { weight: 1, arbitrary: fc.constantFrom(...special, "169.254.169.254") },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 4 }), async (addresses) => {
        const dialled = await rig(EXTERNAL, "external", { answers: [addresses] }).egress.dial();
        if (addresses.some(isInside)) expect(dialled).toEqual({ refused: "private_address" });
        else expect(addresses).toContain((dialled as Dialled).reach.host);
      }),
    );
  });

  test("may stand in a private network when the operator says so, at no metadata service", async () => {
    const given = { ...EXTERNAL, privateAddresses: true };
    const dial = async (address: string) => ({
      ...(await rig(given, "external", { answers: [[address]] }).egress.dial()),
    });
    expect(await dial("10.0.0.7")).toMatchObject({ origin: "https://10.0.0.7" });
    expect(await dial("169.254.169.254")).toEqual({ refused: "private_address" });
  });

  test("stays at the address it was reached at while that is among its own", async () => {
    const answers = [
      ["1.1.1.1", "1.0.0.1"],
      ["1.0.0.1", "1.1.1.1"],
      ["8.8.8.8", "8.8.4.4"],
    ];
    const { egress, clock, reached } = rig(EXTERNAL, "external", { answers });
    const host = async () => ((await egress.dial()) as Dialled).reach.host;
    expect(await host()).toBe("1.1.1.1");
    await clock.advance(5000);
    expect(await host()).toBe("1.1.1.1");
    expect(reached).toHaveLength(1);
    await clock.advance(5000);
    await host();
    await clock.advance(0);
    expect(await host()).toBe("8.8.8.8");
  });

  test("keeps no request waiting while its name is asked again, and outlives its name server", async () => {
    const answers = [["1.1.1.1"], undefined];
    const { egress, clock, looked } = rig(EXTERNAL, "external", { answers });
    await egress.dial();
    await clock.advance(5000);
    expect(egress.dial()).toMatchObject({ origin: "https://1.1.1.1" });
    await clock.advance(599_999);
    expect(egress.dial()).toMatchObject({ origin: "https://1.1.1.1" });
    expect(looked.length).toBeGreaterThan(2);
    await clock.advance(1);
    expect(await egress.dial()).toEqual({ refused: "unresolved" });
  });

  test("is refused as soon as its name is known to lead elsewhere", async () => {
    const answers = [["1.1.1.1"], ["10.0.0.7"]];
    const { egress, clock } = rig(EXTERNAL, "external", { answers });
    await egress.dial();
    await clock.advance(5000);
    expect(egress.dial()).toMatchObject({ origin: "https://1.1.1.1" });
    await clock.advance(0);
    expect(await egress.dial()).toEqual({ refused: "private_address" });
  });

  test("is asked for anew, and its others tried, once it could not be reached", async () => {
    const answers = [["1.1.1.1", "1.0.0.1"]];
    let isUp = true;
    const reaches = ({ host }: ReachTarget) => host !== "1.1.1.1" || isUp;
    const { egress } = rig(EXTERNAL, "external", { answers, reaches });
    const host = async () => ((await egress.dial()) as Dialled).reach.host;
    expect(await host()).toBe("1.1.1.1");
    isUp = false;
    egress.lost();
    expect(await host()).toBe("1.0.0.1");
  });
});

describe("nothing is looked up", () => {
  test.each<[string, FieldsGiven, "local" | "external", string]>([
    [
      "for one that a proxy looks up",
      { url: "https://api.example/v1", proxy: new URL("http://proxy.example:3128") },
      "external",
      "https://api.example",
    ],
    ["for an IPv4 address", { url: "http://10.0.0.7:8000/v1" }, "local", "http://10.0.0.7:8000"],
    ["for an IPv6 address", { url: "http://[fd00::7]:8000/v1" }, "local", "http://[fd00::7]:8000"],
    ["for a socket", { url: "http://engine/v1", unix: "/run/e.sock" }, "local", "http://engine"],
  ])("%s", (_, given, placement, origin) => {
    const { egress, looked } = rig(given, placement);
    expect(egress.dial()).toMatchObject({ origin, host: undefined });
    expect(looked).toEqual([]);
  });

  test("and an IPv6 address is probed without its brackets", () => {
    const { egress } = rig({ url: "http://[::1]:8000" }, "local");
    expect((egress.dial() as Dialled).reach).toMatchObject({ host: "::1", port: 8000 });
  });
});

describe("proxies", () => {
  const proxy = new URL("http://proxy.example:3128");
  test("of the environment are never used", () => {
    for (const placement of ["local", "external"] as const) {
      expect(rig({}, placement).egress.proxy).toBe(false);
    }
  });
  test("are for external backends only, whatever the configuration let pass", () => {
    expect(() => rig({ proxy }, "local")).toThrow("local backend gpu has a proxy");
    const { egress, sessions } = rig({ url: "https://api.example", proxy }, "external");
    expect(egress.proxy).toEqual({ url: proxy.href, respectNoProxy: false });
    expect(sessions).toEqual([{ proxy, unix: undefined, serverName: "api.example" }]);
  });
});

test("a silent backend behind a proxy is tried for by way of its proxy", () => {
  const proxy = new URL("http://proxy.example:3128");
  const { egress } = rig({ url: "https://api.example", proxy }, "external");
  expect((egress.dial() as Dialled).reach).toMatchObject({ host: "proxy.example", port: 3128 });
});

test("a silent backend is tried for once at a time, whoever asks", async () => {
  const answer = Promise.withResolvers<boolean>();
  const { egress, reached } = rig({}, "local", { reaches: () => answer.promise });
  const dialled = egress.dial() as Dialled;
  const asking = [egress.reach(dialled, 1000), egress.reach(dialled, 1000)];
  expect(reached).toHaveLength(1);
  answer.resolve(false);
  expect(await Promise.all(asking)).toEqual([false, false]);
  void egress.reach(dialled, 1000);
  expect(reached).toHaveLength(2);
});
