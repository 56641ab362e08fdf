import { bench, group } from "mitata";
import type { Outcome } from "../src/core/outcome.ts";
import { Rejection } from "../src/core/rejection.ts";
import { LimitBook } from "../src/governor/limit-book.ts";
import { admit } from "../src/gateway/admit.ts";
import { assemble } from "../src/gateway/assemble.ts";
import { settledOf } from "../src/gateway/cost.ts";
import { factOf } from "../src/gateway/fact.ts";
import { begin } from "../src/gateway/visit.ts";
import { UNLIMITED } from "../src/core/limits.ts";
import { ANONYMOUS } from "../src/ingress/authenticate.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { systemNetwork } from "../src/runtime/network.ts";
import { systemRandom } from "../src/runtime/random.ts";
import type { Log } from "../src/runtime/runtime.ts";
import { readFacts, releaseFacts } from "../src/state/slab/facts.ts";
import { DEFAULT_SIZES } from "../src/state/slab/layout.ts";
import { slabInMemory } from "../src/state/slab/open.ts";
import { joinSlab } from "../src/state/slab/stations.ts";
import { BODIES, companyConfig, companyRoutes, envelopeOf, targetOf } from "./inputs.ts";

// What a request pays for being counted: admitted, settled and, for the ledger, told as a fact.

const FACTS_READ = 512;
const slab = slabInMemory({
  sizes: { ...DEFAULT_SIZES, ringBytes: 1 << 18, factBytes: 512 },
  ...{ bootId: "bench", seed: 5n },
});
const actor = joinSlab(slab, { pid: 1, born: 1 })!;
const book = new LimitBook(actor, { shared: true });
const log: Log = { line: () => {}, flush: async () => {} };
const runtime = { clock: systemClock, random: systemRandom, network: systemNetwork, log };
const envelope = envelopeOf(BODIES[0]!.body);
const target = targetOf(companyRoutes(), "m1");
const lane = target.shareable.lanes[0]!;
const used = { inputTokens: 300, outputTokens: 200, cacheReadTokens: 100, reasoningTokens: 0 };
const answered = {
  kind: "answered",
  ending: { kind: "completed" },
  delivery: {
    ...{ lane, status: 200, byteCount: 5000, usage: { ...used, provenance: "reported" } },
    ...{ firstEventMs: 200, attempts: 1, translated: undefined },
  },
} satisfies Outcome;
const limits = {
  ...UNLIMITED,
  ...{ requestsPerMinute: 1e8, tokensPerMinute: 1e12, concurrency: 1e6 },
  budgets: [{ unit: "tokens", amount: 9e15, period: "monthly" }],
} as const;
const keys = { free: { ...ANONYMOUS }, limited: { ...ANONYMOUS, limits } } as const;
let turn = 0;

function requester(ledger: boolean, key: (typeof keys)[keyof typeof keys]) {
  const gateway = assemble(
    {
      ...companyConfig(),
      ledger: { enabled: ledger, isWanted: false, onFailure: { mode: "strict" } },
    },
    runtime,
    {
      book,
      logLinesDropped: () => 0,
    },
  );
  const headers = new Headers();
  return () => {
    const visit = begin(gateway, headers);
    visit.key = key;
    visit.model = "m1";
    visit.target = target;
    const permit = admit(visit, envelope, target);
    if (permit instanceof Rejection) throw new Error(JSON.stringify(permit.reason));
    visit.attempts.push({ lane, fault: undefined, firstEventMs: 200 });
    const sold = { model: "m1", card: gateway.card, wall: systemClock.wall() };
    const charge = settledOf(answered.delivery, sold);
    permit.release(charge, factOf(visit, answered, charge));
    if (!ledger || ++turn % FACTS_READ !== 0) return;
    const all = { station: actor.station, max: Infinity };
    releaseFacts(
      slab,
      readFacts(slab, all, () => {}),
    );
  };
}

group("a request's account, a key without limits", () => {
  bench("without a ledger", requester(false, keys.free)).baseline(true);
  bench("with one", requester(true, keys.free));
});

group("a request's account, a key with four limits", () => {
  bench("without a ledger", requester(false, keys.limited)).baseline(true);
  bench("with one", requester(true, keys.limited));
});
