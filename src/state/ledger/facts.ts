import type { DialectId, KeyId, RequestId } from "../../core/ids.ts";
import type { Privacy } from "../../core/privacy.ts";
import type { Bytes, Ms } from "../../core/units.ts";
import type { Provenance } from "../../core/usage.ts";
import type { NanoAmount } from "../rate-card/prices.ts";
import type { BillableUsage } from "../rate-card/usage.ts";

/**
 * What one request used, once and for good. Prices are applied when it is read; only what its key's
 * budget was charged is kept as an amount, with the card it was reckoned by.
 */
export interface UsageFact {
  /**
   * The fact's identity, made by us. Not the request's: a client may name its request, and one that
   * names all of them alike must not have them counted once.
   */
  readonly id: string;
  readonly requestId: RequestId;
  /** When it settled, on the wall clock. */
  readonly at: Ms;
  readonly tenant: string | undefined;
  readonly key: KeyId | undefined;
  /** As the client wrote it. */
  readonly requestedModel: string;
  /** As the answer named it; what we asked for where it named none. */
  readonly billedModel: string;
  readonly provider: string;
  /** The client's. */
  readonly protocol: DialectId;
  readonly privacy: Privacy | undefined;
  readonly stream: boolean;
  readonly usage: BillableUsage;
  readonly provenance: Provenance;
  readonly status: number;
  readonly latencyMs: Ms;
  readonly firstEventMs: Ms | undefined;
  readonly attempts: number;
  /** What its budget was charged: the settlement. */
  readonly chargedNano: NanoAmount;
  /** Version of the rate card that the charge was reckoned by. */
  readonly card: string;
}

/** What one try cost us, whoever pays for it. */
export interface AttemptFact {
  /** 1 for the first. */
  readonly n: number;
  readonly at: Ms;
  readonly provider: string;
  readonly model: string;
  /** The kind of fault it ended in; undefined when it answered. */
  readonly fault: string | undefined;
  readonly cost: AttemptCost;
  /** What the provider used, as far as anybody knows; all 0 where `cost` is none or unknown. */
  readonly usage: BillableUsage;
  readonly firstEventMs: Ms | undefined;
}
/** `unknown`: it may have run, and nobody told us (reliability.md §3.3). */
export type AttemptCost = Provenance | "none" | "unknown";

/** A request's fact with its attempts: what is written together. */
export interface Entry {
  readonly fact: UsageFact;
  readonly attempts: readonly AttemptFact[];
}

/** The longest entry between processes: names and idle attempts give way to it. */
export const FACT_BYTES_MAX: Bytes = 512;

export const NO_USAGE: BillableUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteLongTokens: 0,
  reasoningTokens: 0,
};

/**
 * What is wrong with an entry, if anything is. Checked before it is queued: one bad row would fail
 * the whole group that it is written with.
 */
export function flawOf({ fact, attempts }: Entry): string | undefined {
  const { id, at, latencyMs, firstEventMs, chargedNano } = fact;
  if (id === "") return "it has no id";
  const counts = [at, latencyMs, firstEventMs ?? 0, fact.status, fact.attempts];
  const all = [...counts, ...countsOf(fact.usage)];
  for (const attempt of attempts) {
    all.push(attempt.n, attempt.at, attempt.firstEventMs ?? 0, ...countsOf(attempt.usage));
  }
  if (!all.every((each) => Number.isSafeInteger(each) && each >= 0)) {
    return "a number is not whole, negative or too large";
  }
  if (chargedNano < 0n || chargedNano > CHARGE_MAX) return "the charge is negative or too large";
  const isDoubled =
    attempts.length > 1 && new Set(attempts.map(({ n }) => n)).size < attempts.length;
  if (isDoubled) return "two attempts are one";
  return undefined;
}

/** A signed 64-bit column, with room for a balance to grow. */
const CHARGE_MAX = 2n ** 56n;

function countsOf(usage: BillableUsage): readonly number[] {
  return [
    ...[usage.inputTokens, usage.outputTokens, usage.reasoningTokens],
    ...[usage.cacheReadTokens, usage.cacheWriteTokens, usage.cacheWriteLongTokens],
  ];
}

/** Longer than any model's name; what is longer is somebody's prank. */
const NAME_MAX = 200;

/** A name that came from outside, as it may stand in a database and on a terminal. */
export function plainName(name: string): string {
  if (isPlain(name)) return name;
  const cut = name.length > NAME_MAX ? `${name.slice(0, NAME_MAX)}…` : name;
  return cut.toWellFormed().replace(/\p{Cc}/gu, "\ufffd");
}

/** A name in so many bytes at most, so that one sees that there was more. */
export function cutName(name: string, bytesMax: Bytes): string {
  if (name.length * UTF8_MAX <= bytesMax || Buffer.byteLength(name) <= bytesMax) return name;
  let end = Math.min(name.length, bytesMax - CUT_BYTES);
  while (Buffer.byteLength(name.slice(0, end)) > bytesMax - CUT_BYTES) end--;
  return `${name.slice(0, end).toWellFormed()}…`;
}
/** UTF-8 has at most three bytes for a unit of UTF-16. */
const UTF8_MAX = 3;
const CUT_BYTES = 3;

/** Whether it is short printable ASCII, as nearly every name is. */
function isPlain(name: string): boolean {
  if (name.length > NAME_MAX) return false;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}
