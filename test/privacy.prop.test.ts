import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chat, COMPLETION, completionStream, configOf, simGateway } from "./sim/gateway.ts";
import { type Sent, simNetwork } from "./sim/network.ts";

// Types cannot see inside `seal`, `resolve` or a socket. So whole gateways are run on a network that
// notes where bytes went, and the claim is checked there: on the addresses that were dialled.

interface Provider {
  readonly local: boolean;
  /** Reached by name, so that what the name means can change under way. */
  readonly named: boolean;
}
type Behaviour = "answer" | "refuse" | "error" | "redirect" | "unreachable" | "reset_mid_stream";
type Mark = "private" | "shareable" | "none" | "garbled";

interface World {
  readonly providers: readonly Provider[];
  readonly fallback: "private" | "shareable" | undefined;
  readonly keyPrivacy: "private" | "shareable" | undefined;
  readonly poolPrivacy: "private" | undefined;
  readonly header: Mark;
  readonly body: Mark;
  readonly behaviours: readonly Behaviour[];
  /** What each look-up of a local name answers, in turn. */
  readonly answers: readonly string[];
  readonly stream: boolean;
  readonly seed: number;
}

const EXTERNAL_HOST = /^(?:ext\d+\.example|proxy\.external\.test)$/;
const PUBLIC_ADDRESSES = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "169.254.169.254.nip"];
const mark = fc.constantFrom<Mark>("private", "shareable", "none", "garbled");
const world: fc.Arbitrary<World> = fc.record({
  providers: fc.array(fc.record({ local: fc.boolean(), named: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  }),
  fallback: fc.constantFrom("private", "shareable", undefined),
  keyPrivacy: fc.constantFrom("private", "shareable", undefined),
  poolPrivacy: fc.constantFrom("private", undefined),
  header: mark,
  body: mark,
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
  stream: fc.boolean(),
  seed: fc.nat(),
});

function yamlOf(given: World): string {
  const providers = given.providers.map(({ local, named }, at) => {
    const url = local
      ? `http://${named ? `gpu${at}.lan` : `127.0.0.${at + 1}`}:8000/v1`
      : `https://ext${at}.example/v1`;
    const placement = local ? "local" : "external";
    return `  p${at}: { protocol: openai, base_url: "${url}", placement: ${placement} }`;
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
  ].join("\n");
}
const KEY = "a-key-of-enough-characters";
const MARKS = { private: "private", shareable: "shareable", none: undefined, garbled: "pr1vate" };

/** The rule in its slowest form: what the documentation says, signal by signal. */
function shouldBePrivate(given: World): boolean {
  const anyLocal = given.providers.some(({ local }) => local);
  const fallback = given.fallback ?? (anyLocal ? "private" : "shareable");
  if (given.keyPrivacy === "private" || given.poolPrivacy === "private") return true;
  if (given.header === "private" || given.header === "garbled") return true;
  if (given.body === "private" || given.body === "garbled") return true;
  return given.keyPrivacy === undefined && fallback === "private";
}

function leavesTheMachineRoom({ origin }: Sent): boolean {
  const { hostname } = new URL(origin);
  return EXTERNAL_HOST.test(hostname) || !/^(?:127\.|10\.|\[fd00:)/.test(hostname);
}

async function run(given: World): Promise<{ sent: readonly Sent[]; status: number }> {
  let turn = 0;
  let lookup = 0;
  const behaviour = (): Behaviour => given.behaviours[turn++ % given.behaviours.length]!;
  const network = simNetwork({
    resolve: () => [given.answers[lookup++ % given.answers.length]!],
    reach: () => true,
    answer() {
      switch (behaviour()) {
        case "answer":
          return given.stream ? completionStream() : Response.json(COMPLETION);
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
  const { ask } = simGateway(configOf(yamlOf(given)), network, given.seed);
  const headers: Record<string, string> = { authorization: `Bearer ${KEY}` };
  const header = MARKS[given.header];
  if (header !== undefined) headers["x-privacy"] = header;
  const privacy = MARKS[given.body];
  const extra = privacy === undefined ? {} : { metadata: { privacy } };
  const response = await ask(chat({ model: "all", stream: given.stream, headers, extra }));
  await response.text().catch(() => ""); // A stream that breaks off is one of the behaviours.
  return { sent: network.sent, status: response.status };
}

test("a private request sends no byte to an external host, whatever goes wrong", async () => {
  const seen = { private: 0, shareable: 0, external: 0, moved: 0 };
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      const { sent } = await run(given);
      const isPrivate = shouldBePrivate(given);
      seen[isPrivate ? "private" : "shareable"]++;
      if (sent.some(leavesTheMachineRoom)) seen.external++;
      if (isPrivate) expect(sent.filter(leavesTheMachineRoom).map(({ url }) => url)).toEqual([]);
      for (const one of sent) {
        expect(one.headers["x-privacy"]).toBeUndefined();
        expect(JSON.stringify(one.headers)).not.toContain(KEY);
      }
    }),
    { numRuns: 3000 },
  );
  // The property must have met both classes, and shareable requests must get out.
  expect(Math.min(seen.private, seen.shareable, seen.external)).toBeGreaterThan(100);
});

test("a local name that answers with a public address is never dialled there", async () => {
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      const local = { ...given, providers: [{ local: true, named: true }] };
      const { sent } = await run(local);
      expect(sent.filter(leavesTheMachineRoom)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

describe("the property can see", () => {
  const base: World = {
    providers: [{ local: false, named: false }],
    fallback: "shareable",
    keyPrivacy: undefined,
    poolPrivacy: undefined,
    header: "none",
    body: "none",
    behaviours: ["answer"],
    answers: ["127.0.0.1"],
    stream: false,
    seed: 1,
  };
  test("a shareable request reaches an external backend", async () => {
    const { sent, status } = await run(base);
    expect(sent.map(leavesTheMachineRoom)).toEqual([true]);
    expect(status).toBe(200);
  });
  test("the same request marked private is refused with no hint at what else there is", async () => {
    const { sent, status } = await run({ ...base, header: "private" });
    expect(sent).toEqual([]);
    expect(status).toBe(503);
  });
});
