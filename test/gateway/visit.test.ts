import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Network } from "../../src/runtime/runtime.ts";
import { settle, begin } from "../../src/gateway/visit.ts";
import type { SimClock } from "../sim/clock.ts";
import { chat, COMPLETION, configOf, type SimGateway, simGateway } from "../sim/gateway.ts";
import { simNetwork } from "../sim/network.ts";
import {
  abortable,
  type Behaviour,
  delta,
  flow,
  lost,
  refusal,
  STREAM,
  whole,
} from "../upstream/pieces.ts";

const CONFIG = configOf(`
server: { max_connections: 3 }
providers:
  one: { protocol: openai, base_url: "http://127.0.0.1:8000/v1" }
  two: { protocol: openai, base_url: "http://127.0.0.2:8000/v1" }
  ext: { protocol: openai, base_url: "https://ext.example/v1" }
models:
  a: { provider: one }
  b: { provider: two }
  far: { provider: ext }
pools:
  all: { members: [{ model: a }, { model: b }] }
`);
const BUG: Behaviour = () => {
  throw new Error("a bug of ours, with the secret payload in its message");
};
/** Everything an upstream may do, from a whole answer to nothing at all. */
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  whole: () => whole(JSON.stringify(COMPLETION)),
  stream: () => flow([STREAM]),
  slowly: () => flow([...STREAM.match(/[^]{1,40}/g)!]),
  "cut stream": () => flow([delta("he")]),
  "reset stream": () => flow([delta("he")], { then: "reset" }),
  "stalled stream": () => flow([delta("he")], { then: "silence" }),
  "reported error": () => flow([delta("he"), 'data: {"error":{"type":"overloaded_error"}}\n\n']),
  "error first": () => flow(['data: {"error":{"type":"overloaded_error"}}\n\n']),
  "not JSON": () => whole("oops"),
  silence: () => new Promise<Response>(() => {}),
  busy: () => refusal(503),
  "bad request": () => refusal(400),
  redirect: () => new Response(null, { status: 307, headers: { location: "https://ext.example" } }),
  unreachable: () => Promise.reject(lost("ConnectionRefused")),
  lost: () => Promise.reject(lost("ECONNRESET")),
  bug: BUG,
};
const RUNS = process.env["INTERLOCK_FULL"] === "1" ? 10_000 : 1500;

type Client = "reads" | "leaves at once" | "leaves later" | "leaves mid-stream" | "never reads";
interface Ask {
  readonly model: string;
  readonly stream: boolean;
  readonly client: Client;
  readonly private: boolean;
  readonly at: number;
}
const name = fc.constantFrom(...Object.keys(BEHAVIOURS));
const ask: fc.Arbitrary<Ask> = fc.record({
  model: fc.constantFrom("all", "a", "far", "unknown"),
  stream: fc.boolean(),
  client: fc.constantFrom<Client>(
    ...(["reads", "leaves at once", "leaves later", "leaves mid-stream", "never reads"] as const),
  ),
  private: fc.boolean(),
  at: fc.nat(2_000_000),
});

/** A network of these behaviours, in turn; a bug is thrown where `fetch` is called. */
function networkOf(names: readonly string[]): Network {
  let turn = 0;
  const next = (): Behaviour => BEHAVIOURS[names[turn % names.length]!]!;
  const network = simNetwork({
    answer(sent) {
      const behaviour = next();
      turn++;
      return abortable(sent, () => behaviour(sent, 0));
    },
  });
  return {
    ...network,
    session(options) {
      const session = network.session(options);
      return {
        close() {},
        fetch(url, init) {
          if (next() !== BUG) return session.fetch(url, init);
          turn++;
          throw new TypeError("a bug of ours, with the secret payload in its message");
        },
      };
    },
  };
}
/** One client from its request to its end, whatever that is. Resolves when it is over. */
async function serve(sim: SimGateway, one: Ask): Promise<string | undefined> {
  const controller = new AbortController();
  const { signal } = controller;
  const headers: Record<string, string> = one.private ? { "x-privacy": "private" } : {};
  const plain = chat({ model: one.model, stream: one.stream, headers });
  const request = new Request(plain, { signal });
  if (one.client === "leaves at once") controller.abort();
  if (one.client === "leaves later") sim.clock.after(one.at, () => controller.abort());
  let response: Response;
  try {
    response = await sim.ask(request);
  } catch {
    return undefined; // The listener answers a bug with its fixed 500.
  }
  const id = response.headers.get("x-request-id") ?? "none";
  if (one.client === "never reads" || response.body === null) return id;
  const reader = response.body.getReader();
  if (signal.aborted) await reader.cancel();
  if (one.client === "leaves mid-stream") {
    await reader.read().catch(() => undefined);
    await reader.cancel().catch(() => undefined);
  }
  if (one.client === "leaves later")
    signal.onabort ??= () => void reader.cancel().catch(() => undefined);
  for (let open = true; open;) {
    open = await reader.read().then(
      ({ done }) => !done,
      () => false,
    );
  }
  return id;
}
/** Lets time pass until all are over; a client that never reads is cut before. */
async function allOver(clock: SimClock, serving: readonly Promise<unknown>[]): Promise<void> {
  let over = false;
  void Promise.all(serving).then(() => (over = true));
  for (let hour = 0; hour < 12 && !over; hour++) await clock.advance(3_600_000);
  await clock.advance(3_600_000);
}

test("every request is settled exactly once, whatever happens to how many at a time", async () => {
  const seen = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(name, { minLength: 1, maxLength: 5 }),
      fc.array(ask, { minLength: 1, maxLength: 5 }),
      async (names, asks) => {
        const sim = simGateway(CONFIG, networkOf(names));
        const serving = asks.map((each) => serve(sim, each));
        expect(sim.gateway.governor.inFlight).toBeLessThanOrEqual(3);
        await allOver(sim.clock, serving);
        const ids = sim.lines.map(({ fields }) => fields?.["request_id"]);
        expect(ids).toHaveLength(asks.length);
        expect(new Set(ids).size).toBe(asks.length);
        for (const id of await Promise.all(serving))
          if (id !== undefined) expect(ids).toContain(id);
        expect(sim.gateway.governor.inFlight).toBe(0);
        expect(sim.clock.armed).toBe(0);
        for (const { fields } of sim.lines) seen.add(fields?.["ending"]).add(fields?.["reason"]);
        expect(JSON.stringify(sim.lines)).not.toContain("secret payload");
      },
    ),
    { numRuns: RUNS },
  );
  // The property must have met every way a request ends.
  const endings = `completed client_gone upstream_reported truncated timeout/stall client_stalled
    relayed_error bug upstream_failed model_not_found no_eligible_backend overloaded`.split(/\s+/);
  expect(endings.filter((each) => !seen.has(each))).toEqual([]);
}, 60_000);

describe("a client that leaves a stream", () => {
  /** Asks for a stream that would go on, and runs `leave` as soon as its first event is read. */
  async function asked(leave: (controller: AbortController) => void) {
    const controller = new AbortController();
    const signals: (AbortSignal | null | undefined)[] = [];
    const network = simNetwork({
      answer(sent) {
        signals.push(sent.init.signal);
        const body = flow([delta("he")], { then: "silence" }).body!.pipeThrough(
          new TransformStream({
            transform(chunk, to) {
              to.enqueue(chunk);
              leave(controller);
            },
          }),
        );
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      },
    });
    const sim = simGateway(CONFIG, network);
    const plain = chat({ model: "a", stream: true });
    const response = await sim.ask(new Request(plain, { signal: controller.signal }));
    return { sim, response, signals };
  }

  test("is settled as gone at once, and its upstream let go", async () => {
    const { sim, response, signals } = await asked(() => {});
    const reader = response.body!.getReader();
    await reader.read();
    expect(sim.lines).toEqual([]);
    await reader.cancel();
    expect(sim.lines).toMatchObject([{ fields: { ending: "client_gone", status: 499 } }]);
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    expect([sim.gateway.governor.inFlight, sim.clock.armed]).toEqual([0, 0]);
  });

  test("between its first event and its answer is settled too, though nobody ever reads that", async () => {
    let afterCommit = 0;
    for (let ticks = 0; ticks < 60; ticks++) {
      let left = ticks;
      const { sim, signals } = await asked(function leave(controller) {
        if (left-- > 0) queueMicrotask(() => leave(controller));
        else controller.abort();
      });
      if (left >= 0 || sim.lines.length === 0) continue; // Its answer was out: the listener sees to it.
      expect(sim.lines).toHaveLength(1);
      expect(signals[0]?.aborted).toBe(true);
      expect([sim.gateway.governor.inFlight, sim.clock.armed]).toEqual([0, 0]);
      if (sim.lines[0]?.fields?.["ending"] === "client_gone") afterCommit++;
    }
    expect(afterCommit).toBeGreaterThan(0);
  });
});

describe("a request's name", () => {
  const sim = () => simGateway(CONFIG, networkOf(["whole"]));
  const GIVEN = /^[\w.-]{8,128}$/;

  test("is the client's own when it is harmless, else ours; the log and the answer agree", async () => {
    const some = (characters: string, minLength: number) =>
      fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength: 140 });
    const header = fc.oneof(some("aZ09._-", 1), some("aZ09._- /:@\"'{", 0));
    await fc.assert(
      fc.asyncProperty(header, async (text) => {
        const { ask: send, lines } = sim();
        const response = await send(chat({ model: "a", headers: { "x-request-id": text } }));
        const id = response.headers.get("x-request-id");
        if (GIVEN.test(text.trim())) expect(id).toBe(text.trim());
        else expect(id).toMatch(/^req_[0-9a-f]{24}$/);
        expect(lines.map(({ fields }) => fields?.["request_id"])).toEqual([id!]);
      }),
    );
  });

  test("is another one for each request", async () => {
    const { ask: send } = sim();
    const answers = await Promise.all([1, 2, 3].map(() => send(chat({ model: "a" }))));
    expect(new Set(answers.map(({ headers }) => headers.get("x-request-id"))).size).toBe(3);
  });
});

test("settling a request twice is a bug", () => {
  const { gateway } = simGateway(CONFIG, networkOf(["whole"]));
  const visit = begin(gateway, new Headers());
  settle(visit, { kind: "served" });
  expect(() => settle(visit, { kind: "served" })).toThrow("a request settled twice");
});
