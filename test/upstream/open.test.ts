import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import fc from "fast-check";
import type { Backend } from "../../src/core/backend.ts";
import type { Admits, Local, Placement, Private, Shareable } from "../../src/core/privacy.ts";
import type { AnyRequest, Request } from "../../src/core/request.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemNetwork } from "../../src/runtime/network.ts";
import type { Dialled, Egress } from "../../src/upstream/egress.ts";
import { createEgress } from "../../src/upstream/egress.ts";
import { open } from "../../src/upstream/open.ts";
import { startFaultd } from "../faultd/faultd.ts";
import type { Script } from "../faultd/script.ts";
import { simNetwork } from "../sim/network.ts";
import { backendOf, bytesOf, COMPLETION, type FieldsGiven, sealed, whole } from "./pieces.ts";

const BODY = { model: "m", messages: [{ role: "user", content: "the secret payload" }] };

/** An egress whose far end answers everything, and what was sent through it. */
function simEgress(given: FieldsGiven, placement: Placement) {
  const backend = backendOf(given, placement);
  const network = simNetwork({ answer: () => whole(COMPLETION) });
  const egress = createEgress(backend, { network, clock: systemClock });
  return { backend, egress, sent: network.sent };
}
/** Sends, with the types told that the pair is right whatever it is. */
function send(request: AnyRequest, backend: unknown, egress: Egress): Promise<Response> {
  return open(request as Request<Private>, backend as Backend<Local>, {
    egress,
    dialled: egress.dial() as Dialled,
    path: "/v1/chat/completions",
    headers: { "content-type": "application/json" },
    ...{ method: "POST", clock: systemClock, decodes: false },
    signal: new AbortController().signal,
  });
}

test("what is sent is the payload byte for byte, and every way round is closed", async () => {
  const { backend, egress, sent } = simEgress({}, "local");
  await send(sealed(BODY), backend, egress);
  expect(sent).toHaveLength(1);
  const { url, body, init } = sent[0]!;
  expect(url).toBe("http://127.0.0.1:8000/v1/chat/completions");
  expect(body).toBe(JSON.stringify(BODY));
  expect(init).toMatchObject({
    method: "POST",
    redirect: "manual",
    proxy: false,
    decompress: false,
    timeout: false,
  });
});

test("an external backend's own proxy is used, and what the environment exempts from it too", async () => {
  const proxy = new URL("http://proxy.example:3128");
  const { backend, egress, sent } = simEgress({ url: "https://ext.example", proxy }, "external");
  await send(sealed(BODY, "shareable"), backend, egress);
  expect(sent[0]!.init.proxy).toEqual({ url: proxy.href, respectNoProxy: false });
});

describe("at run time too, where no type is left", () => {
  test("a private request at an external backend is a bug, and nothing is sent", () => {
    const { backend, egress, sent } = simEgress({ url: "https://ext.example/v1" }, "external");
    expect(() => send(sealed(BODY), backend, egress)).toThrow(
      "private request at external backend gpu",
    );
    expect(sent).toEqual([]);
  });

  test("a backend that did not come from the configuration is a bug, whatever it looks like", () => {
    const { backend, egress, sent } = simEgress({}, "local");
    const forged = [
      { ...backend },
      Object.create(backend),
      structuredClone({ ...backend, baseUrl: undefined }),
      new Proxy(backend, {}),
    ];
    for (const each of forged) {
      expect(() => send(sealed(BODY, "shareable"), each, egress)).toThrow("config parser");
    }
    expect(sent).toEqual([]);
  });

  test("neither a request's class nor a backend's placement can be written over", () => {
    const request = sealed(BODY);
    const external = backendOf({ url: "https://ext.example/v1" }, "external");
    expect(Reflect.set(request, "privacy", "shareable")).toBe(false);
    expect(Reflect.set(external, "placement", "local")).toBe(false);
    expect(Reflect.defineProperty(external, "placement", { value: "local" })).toBe(false);
    expect([request.privacy, external.placement]).toEqual(["private", "external"]);
  });
});

test("whatever prints a request shows its class and nothing of its payload", () => {
  const text = fc.string({ minLength: 4, unit: "grapheme-ascii" }).map((word) => `§${word}§`);
  fc.assert(
    fc.property(
      text,
      fc.constantFrom<"private" | "shareable">("private", "shareable"),
      (word, privacy) => {
        const request = sealed({ model: "m", messages: [], user: word }, privacy);
        const shown = [
          JSON.stringify(request),
          JSON.stringify({ ...request }),
          JSON.stringify(Object.entries(request)),
          inspect(request, { showHidden: true, depth: null, getters: true }),
          Bun.inspect(request),
          String(request),
        ];
        for (const each of shown) expect(each).not.toContain("§");
        expect(shown[0]).toContain(privacy);
      },
    ),
  );
});

test("a rewritten request keeps its class", () => {
  const rewritten = (sealed(BODY) as Request<Private>).map(() => bytesOf("{}"));
  const external = backendOf({ url: "https://ext.example/v1" }, "external");
  expect(rewritten.privacy).toBe("private");
  expect(() => rewritten.unseal(external as Backend<Admits<Private>>)).toThrow("private request");
  const plain = (sealed(BODY, "shareable") as Request<Shareable>).map(() => bytesOf("{}"));
  expect(new TextDecoder().decode(plain.unseal(external))).toBe("{}");
});

describe("over a real socket", () => {
  async function sendTo(script: Script, then: (response: Response) => Promise<void>) {
    using upstream = startFaultd(() => script);
    const backend = backendOf({ url: `${upstream.origin}/v1` });
    const egress = createEgress(backend, { network: systemNetwork, clock: systemClock });
    await then(await send(sealed(BODY), backend, egress));
    egress.close();
  }

  test.each([301, 302, 303, 307, 308])("a %d is an answer, not a way to go", async (status) => {
    using elsewhere = startFaultd(() => ({ body: "{}" }));
    const location = `${elsewhere.origin}/v1/chat/completions`;
    await sendTo({ status, headers: [["location", location]] }, async (response) => {
      expect(response.status).toBe(status);
      await response.bytes();
    });
    expect(elsewhere.received).toBe(0);
  });

  test("a compressed answer stays compressed, and says so", async () => {
    const body = Bun.gzipSync(bytesOf(COMPLETION));
    const script: Script = { body, headers: [["content-encoding", "gzip"]] };
    await sendTo(script, async (response) => {
      expect(response.headers.get("content-encoding")).toBe("gzip");
      expect(Buffer.from(await response.bytes()).equals(Buffer.from(body))).toBe(true);
    });
  });
});
