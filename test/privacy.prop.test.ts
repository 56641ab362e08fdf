import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chat, COMPLETION, completionStream, configOf, simGateway } from "./sim/gateway.ts";
import { type Sent, simNetwork } from "./sim/network.ts";

// Types cannot see inside `seal`, `resolve` or a socket. So whole gateways are run on a network that
// notes where bytes went, and the claim is checked there: on the addresses that were dialled.

const RUNS = process.env["INTERLOCK_FULL"] === "1" ? 20_000 : 2000;

interface Provider {
  readonly local: boolean;
  /** Reached by name, so that what the name means can change under way. */
  readonly named: boolean;
  /** Reached by way of a proxy; only an external one may be. */
  readonly proxied: boolean;
}
type Behaviour = "answer" | "refuse" | "error" | "redirect" | "unreachable" | "reset_mid_stream";
type Mark = "private" | "shareable" | "none" | "garbled";

interface World {
  readonly providers: readonly Provider[];
  readonly fallback: "private" | "shareable" | undefined;
  readonly keyPrivacy: "private" | "shareable" | undefined;
  readonly poolPrivacy: "private" | undefined;
  readonly asks: readonly Ask[];
  readonly behaviours: readonly Behaviour[];
  /** What each look-up of a name answers, in turn. */
  readonly answers: readonly string[];
  readonly seed: number;
}
interface Ask {
  /** A pool, a model, or a name only the default provider takes. */
  readonly model: "all" | "m0" | "unlisted";
  readonly header: Mark;
  readonly body: Mark;
  readonly stream: boolean;
  /** How long it is until the next one: a looked-up name is kept for five seconds. */
  readonly thenMs: number;
}

const EXTERNAL_HOST = /^(?:ext\d+\.example|proxy\.external\.test)$/;
const PUBLIC_ADDRESSES = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "169.254.169.254.nip"];
const mark = fc.constantFrom<Mark>("private", "shareable", "none", "garbled");
const ask: fc.Arbitrary<Ask> = fc.record({
  model: fc.constantFrom("all", "all", "m0", "unlisted"),
  header: mark,
  body: mark,
  stream: fc.boolean(),
  thenMs: fc.constantFrom(0, 1000, 6000),
});
const world: fc.Arbitrary<World> = fc.record({
  providers: fc.array(
    fc.record({ local: fc.boolean(), named: fc.boolean(), proxied: fc.boolean() }),
    { minLength: 1, maxLength: 4 },
  ),
  fallback: fc.constantFrom("private", "shareable", undefined),
  keyPrivacy: fc.constantFrom("private", "shareable", undefined),
  poolPrivacy: fc.constantFrom("private", undefined),
  asks: fc.array(ask, { minLength: 1, maxLength: 3 }),
  behaviours: fc.array(
    fc.constantFrom<Behaviour>(
      "answer",
      "refuse",
      "error",
      "redirect",
      "unreachable",
      "reset_mid_stream",
    ),
    { minLength: 1, maxLength: 5 },
  ),
  answers: fc.array(fc.constantFrom("127.0.0.1", "10.0.0.7", "fd00::7", ...PUBLIC_ADDRESSES), {
    minLength: 1,
    maxLength: 4,
  }),
  seed: fc.nat(),
});

function yamlOf(given: World): string {
  const providers = given.providers.map(({ local, named, proxied }, at) => {
    const url = local
      ? `http://${named ? `gpu${at}.lan` : `127.0.0.${at + 1}`}:8000/v1`
      : `https://ext${at}.example/v1`;
    const placement = local ? "local" : "external";
    const proxy = proxied && !local ? `, proxy: "http://proxy.external.test:3128"` : "";
    return `  p${at}: { protocol: openai, base_url: "${url}", placement: ${placement}${proxy} }`;
  });
  const models = given.providers.map((_, at) => `  m${at}: { provider: p${at} }`);
  const members = given.providers.map((_, at) => `{ model: m${at}, weight: ${at + 1} }`);
  const poolPrivacy = given.poolPrivacy ? `, privacy: ${given.poolPrivacy}` : "";
  const keyPrivacy = given.keyPrivacy ? `, privacy: ${given.keyPrivacy}` : "";
  return [
    ...(given.fallback ? [`privacy: { default: ${given.fallback} }`] : []),
    "providers:",
    ...providers,
    "models:",
    ...models,
    `pools:`,
    `  all: { members: [${members.join(", ")}]${poolPrivacy} }`,
    `keys:`,
    `  app: { key: "${KEY}"${keyPrivacy} }`,
    `routing: { default_provider: p0 }`,
  ].join("\n");
}
const KEY = "a-key-of-enough-characters";
const MARKS = { private: "private", shareable: "shareable", none: undefined, garbled: "pr1vate" };

/** The rule in its slowest form: what the documentation says, signal by signal. */
function shouldBePrivate(given: World, { model, header, body }: Ask): boolean {
  const anyLocal = given.providers.some(({ local }) => local);
  const fallback = given.fallback ?? (anyLocal ? "private" : "shareable");
  if (given.keyPrivacy === "private") return true;
  if (given.poolPrivacy === "private" && model === "all") return true;
  if (header === "private" || header === "garbled") return true;
  if (body === "private" || body === "garbled") return true;
  return given.keyPrivacy === undefined && fallback === "private";
}

function leavesTheMachineRoom({ origin }: Sent): boolean {
  const { hostname } = new URL(origin);
  return EXTERNAL_HOST.test(hostname) || !/^(?:127\.|10\.|\[fd00:)/.test(hostname);
}

/** What one request of a world led to. */
interface Went {
  readonly ask: Ask;
  readonly sent: readonly Sent[];
  readonly status: number;
}

async function run(given: World): Promise<readonly Went[]> {
  let turn = 0;
  let lookup = 0;
  let stream = false;
  const behaviour = (): Behaviour => given.behaviours[turn++ % given.behaviours.length]!;
  const network = simNetwork({
    // What is called external may move into the machine room as well as out of it.
    resolve: () => [given.answers[lookup++ % given.answers.length]!],
    reach: () => true,
    answer() {
      switch (behaviour()) {
        case "answer":
          return stream ? completionStream() : Response.json(COMPLETION);
        case "refuse":
          return Response.json({ error: { message: "no", type: "server_error" } }, { status: 503 });
        case "error":
          return new Response("oops", { status: 500 });
        case "redirect":
          return new Response(null, { status: 307, headers: { location: "https://ext0.example" } });
        case "unreachable":
          throw Object.assign(new Error("refused"), { code: "ConnectionRefused" });
        case "reset_mid_stream":
          return new Response("data: {", { headers: { "content-type": "text/event-stream" } });
      }
    },
  });
  const { ask: send, clock } = simGateway(configOf(yamlOf(given)), network, given.seed);
  const went: Went[] = [];
  for (const one of given.asks) {
    ({ stream } = one);
    const before = network.sent.length;
    const response = await send(requestOf(one));
    await response.text().catch(() => ""); // A stream that breaks off is one of the behaviours.
    went.push({ ask: one, sent: network.sent.slice(before), status: response.status });
    await clock.advance(one.thenMs);
  }
  return went;
}
function requestOf({ model, header, body, stream }: Ask): Request {
  const headers: Record<string, string> = { authorization: `Bearer ${KEY}` };
  const inHeader = MARKS[header];
  if (inHeader !== undefined) headers["x-privacy"] = inHeader;
  const privacy = MARKS[body];
  const extra = privacy === undefined ? {} : { metadata: { privacy } };
  return chat({ model, stream, headers, extra });
}

test("a private request sends no byte to an external host, whatever goes wrong", async () => {
  const seen = { private: 0, shareable: 0, external: 0 };
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      for (const { ask: one, sent } of await run(given)) {
        const isPrivate = shouldBePrivate(given, one);
        const outside = sent.filter(leavesTheMachineRoom).map(({ url }) => url);
        seen[isPrivate ? "private" : "shareable"]++;
        if (outside.length > 0) seen.external++;
        if (isPrivate) expect(outside).toEqual([]);
        for (const { headers } of sent) {
          expect(headers["x-privacy"]).toBeUndefined();
          expect(JSON.stringify(headers)).not.toContain(KEY);
        }
      }
    }),
    { numRuns: RUNS },
  );
  // The property must have met both classes, and shareable requests must get out.
  expect(Math.min(seen.private, seen.shareable, seen.external)).toBeGreaterThan(100);
}, 60_000);

test("a local name that answers with a public address is never dialled there", async () => {
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      const local = { ...given, providers: [{ local: true, named: true, proxied: false }] };
      const sent = (await run(local)).flatMap((went) => went.sent);
      expect(sent.filter(leavesTheMachineRoom).map(({ url }) => url)).toEqual([]);
    }),
    { numRuns: RUNS / 2 },
  );
}, 60_000);

test("an external name that answers with an address in here is never dialled there", async () => {
  let dialled = 0;
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      const external = { ...given, providers: [{ local: false, named: true, proxied: false }] };
      const sent = (await run(external)).flatMap((went) => went.sent);
      dialled += sent.length;
      expect(sent.filter((one) => !leavesTheMachineRoom(one)).map(({ url }) => url)).toEqual([]);
      for (const { headers } of sent) expect(headers["host"]).toBe("ext0.example");
    }),
    { numRuns: RUNS / 2 },
  );
  expect(dialled).toBeGreaterThan(10);
}, 60_000);

describe("the property can see", () => {
  const one: Ask = { model: "all", header: "none", body: "none", stream: false, thenMs: 0 };
  const base: World = {
    providers: [{ local: false, named: false, proxied: false }],
    fallback: "shareable",
    keyPrivacy: undefined,
    poolPrivacy: undefined,
    asks: [one],
    behaviours: ["answer"],
    answers: ["93.184.216.34"],
    seed: 1,
  };
  test("a shareable request reaches an external backend", async () => {
    const [went] = await run(base);
    expect(went).toMatchObject({ status: 200, sent: [{ origin: "https://93.184.216.34" }] });
  });
  test("the same request marked private is refused with no hint at what else there is", async () => {
    const [went] = await run({ ...base, asks: [{ ...one, header: "private" }] });
    expect(went).toMatchObject({ status: 503, sent: [] });
  });
  test("a local name that moves is followed, while what it means is private", async () => {
    const providers = [{ local: true, named: true, proxied: false }];
    const asks = [0, 6000, 6000].map((thenMs) => ({ ...one, thenMs }));
    const answers = ["10.0.0.7", "8.8.8.8"];
    const went = await run({ ...base, providers, asks, answers });
    const origins = went.map(({ sent }) => sent.map(({ origin }) => origin));
    expect(origins).toEqual([["http://10.0.0.7:8000"], ["http://10.0.0.7:8000"], []]);
  });
});
