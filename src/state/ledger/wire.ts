import { DIALECT_IDS } from "../../core/ids.ts";
import type { Bytes } from "../../core/units.ts";
import type { BillableUsage } from "../rate-card/usage.ts";
import { BytesIn, BytesOut } from "./bytes.ts";
import {
  type AttemptCost,
  type AttemptFact,
  cutName,
  type Entry,
  flawOf,
  plainName,
} from "./facts.ts";

/** First byte of an entry: another release may write it otherwise. */
const FORMAT = 1;
const PRIVACY = [undefined, "private", "shareable"] as const;
const PROVENANCE = ["reported", "estimated", "partial"] as const;
const COSTS = [...PROVENANCE, "none", "unknown"] as const satisfies readonly AttemptCost[];
const FLAGS = { stream: 1, tenant: 2, key: 4, firstEvent: 8, fault: 16 } as const;
/** A charge is written in two numbers, for no number holds all of it. */
const HALF = 2 ** 32;
/** One for all: what is written is read or copied before the next is. */
const shared = new BytesOut();

/**
 * An entry as bytes, for a ring between processes; some 200 of them, good until the next call.
 * Where they would be more than `bytesMax`, names are cut, then attempts left out that cost
 * nothing, then all but the last that did: what was used and charged is always whole.
 */
export function encodeEntry(
  entry: Entry,
  bytesMax: Bytes = Number.POSITIVE_INFINITY,
): Uint8Array<ArrayBuffer> {
  const whole = write(entry);
  if (whole.length <= bytesMax) return whole;
  const short = shortened(entry);
  const cut = write(short);
  if (cut.length <= bytesMax) return cut;
  const { attempts } = short;
  const costly = write({ ...short, attempts: attempts.filter(({ cost }) => cost !== "none") });
  return costly.length <= bytesMax ? costly : write(shortest(short));
}

/** Reads what a process may have been killed while writing; undefined when it is no entry. */
export function decodeEntry(bytes: Uint8Array): Entry | undefined {
  try {
    const input = new BytesIn(bytes);
    const entry = input.number() === FORMAT ? read(input) : undefined;
    return entry !== undefined && input.done && flawOf(entry) === undefined ? entry : undefined;
  } catch (error) {
    // Half an entry: its writer is gone, and its in-flight record settles the request.
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function write({ fact, attempts }: Entry): Uint8Array<ArrayBuffer> {
  const out = shared;
  out.reset();
  out.number(FORMAT);
  out.number(
    (fact.stream ? FLAGS.stream : 0) |
      (fact.tenant === undefined ? 0 : FLAGS.tenant) |
      (fact.key === undefined ? 0 : FLAGS.key) |
      (fact.firstEventMs === undefined ? 0 : FLAGS.firstEvent),
  );
  for (const text of [fact.id, fact.requestId, fact.provider, fact.card]) out.text(text);
  out.text(plainName(fact.requestedModel));
  out.text(plainName(fact.billedModel));
  if (fact.tenant !== undefined) out.text(fact.tenant);
  if (fact.key !== undefined) out.text(fact.key);
  out.number(DIALECT_IDS.indexOf(fact.protocol));
  out.number(PRIVACY.indexOf(fact.privacy));
  out.number(PROVENANCE.indexOf(fact.provenance));
  for (const value of [fact.at, fact.status, fact.latencyMs, fact.attempts]) out.number(value);
  if (fact.firstEventMs !== undefined) out.number(fact.firstEventMs);
  writeCharge(out, fact.chargedNano);
  writeUsage(out, fact.usage);
  out.number(attempts.length);
  for (const attempt of attempts) writeAttempt(out, attempt);
  return out.view();
}

function read(input: BytesIn): Entry {
  const flags = input.number();
  const [id, requestId, provider, card] = [input.text(), input.text(), input.text(), input.text()];
  const [requestedModel, billedModel] = [input.text(), input.text()];
  const tenant = flags & FLAGS.tenant ? input.text() : undefined;
  const key = flags & FLAGS.key ? input.text() : undefined;
  const protocol = one(DIALECT_IDS, input.number());
  const privacy = one(PRIVACY, input.number());
  const provenance = one(PROVENANCE, input.number());
  const [at, status, latencyMs] = [input.number(), input.number(), input.number()];
  const tries = input.number();
  const firstEventMs = flags & FLAGS.firstEvent ? input.number() : undefined;
  const chargedNano = BigInt(input.number()) * BigInt(HALF) + BigInt(input.number());
  const stream = (flags & FLAGS.stream) !== 0;
  const usage = readUsage(input);
  const fact = {
    ...{ id, requestId, at, tenant, key, requestedModel, billedModel, provider, protocol, privacy },
    ...{ stream, usage, provenance, status, latencyMs, firstEventMs, attempts: tries },
    ...{ chargedNano, card },
  };
  const attempts: AttemptFact[] = [];
  // Each takes some bytes, so that a false count ends with them.
  for (let left = input.number(); left > 0; left--) attempts.push(readAttempt(input));
  return { fact, attempts };
}

/** Nearly every charge is exact as a number, which is quicker to halve. */
function writeCharge(out: BytesOut, charge: bigint): void {
  const number = Number(charge);
  const exact = number <= Number.MAX_SAFE_INTEGER;
  const high = exact ? Math.floor(number / HALF) : Number(charge / BigInt(HALF));
  out.number(high);
  out.number(exact ? number - high * HALF : Number(charge % BigInt(HALF)));
}

function writeAttempt(out: BytesOut, attempt: AttemptFact): void {
  const { fault, firstEventMs } = attempt;
  out.number(
    (fault === undefined ? 0 : FLAGS.fault) | (firstEventMs === undefined ? 0 : FLAGS.firstEvent),
  );
  out.text(attempt.provider);
  out.text(plainName(attempt.model));
  out.number(COSTS.indexOf(attempt.cost));
  out.number(attempt.n);
  out.number(attempt.at);
  if (fault !== undefined) out.text(fault);
  if (firstEventMs !== undefined) out.number(firstEventMs);
  writeUsage(out, attempt.usage);
}

function readAttempt(input: BytesIn): AttemptFact {
  const flags = input.number();
  const [provider, model] = [input.text(), input.text()];
  const cost = one(COSTS, input.number());
  const [n, at] = [input.number(), input.number()];
  const fault = flags & FLAGS.fault ? input.text() : undefined;
  const firstEventMs = flags & FLAGS.firstEvent ? input.number() : undefined;
  return { n, at, provider, model, fault, cost, usage: readUsage(input), firstEventMs };
}

function writeUsage(out: BytesOut, usage: BillableUsage): void {
  out.number(usage.inputTokens);
  out.number(usage.outputTokens);
  out.number(usage.cacheReadTokens);
  out.number(usage.cacheWriteTokens);
  out.number(usage.cacheWriteLongTokens);
  out.number(usage.reasoningTokens);
}

function readUsage(input: BytesIn): BillableUsage {
  return {
    inputTokens: input.number(),
    outputTokens: input.number(),
    cacheReadTokens: input.number(),
    cacheWriteTokens: input.number(),
    cacheWriteLongTokens: input.number(),
    reasoningTokens: input.number(),
  };
}

function one<T>(values: readonly T[], index: number): T {
  if (index >= values.length) throw new RangeError("a word is unknown");
  return values[index]!;
}

const SHORT: Bytes = 43;
/** Of names that say who is charged nothing is cut before there is no other way. */
const SHORTEST: Bytes = 32;

function shortest({ fact, attempts }: Entry): Entry {
  const short = (name: string): string => cutName(name, SHORTEST);
  const { tenant, key, provider, ...rest } = fact;
  const owners = { tenant: tenant && short(tenant), key: key && short(key) };
  return {
    fact: { ...rest, ...owners, provider: short(provider) },
    attempts: attempts
      .filter(({ cost }) => cost !== "none")
      .slice(-1)
      .map((attempt) => ({ ...attempt, provider: short(attempt.provider) })),
  };
}

function shortened({ fact, attempts }: Entry): Entry {
  const short = (name: string): string => cutName(name, SHORT);
  return {
    fact: {
      ...fact,
      requestId: short(fact.requestId),
      requestedModel: short(fact.requestedModel),
      billedModel: short(fact.billedModel),
    },
    attempts: attempts.map((attempt) => ({ ...attempt, model: short(attempt.model) })),
  };
}
