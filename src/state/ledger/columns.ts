import { type BillableUsage, consistent } from "../rate-card/usage.ts";
import type { SqlValue } from "../store/sql.ts";
import { type AttemptFact, plainName, type UsageFact } from "./facts.ts";

/** Columns of usage_fact but for `seq`, in the order of `factRow`. */
export const FACT_COLUMNS = [
  ...["id", "request_id", "at_ms", "node", "tenant", "key_id", "requested_model"],
  ...["billed_model", "provider", "protocol", "privacy", "stream", "input_tokens"],
  ...["output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_long_tokens"],
  ...["reasoning_tokens", "provenance", "status", "latency_ms", "first_event_ms", "attempts"],
  ...["charged_nano", "card"],
] as const;

export function factRow(fact: UsageFact, node: string): SqlValue[] {
  return [
    ...[fact.id, fact.requestId, fact.at, node, fact.tenant ?? null, fact.key ?? null],
    ...[plainName(fact.requestedModel), plainName(fact.billedModel), fact.provider, fact.protocol],
    ...[fact.privacy ?? null, fact.stream ? 1 : 0, ...usageRow(fact.usage), fact.provenance],
    ...[fact.status, fact.latencyMs, fact.firstEventMs ?? null, fact.attempts],
    ...[fact.chargedNano, fact.card],
  ];
}

/** Columns of attempt_fact, in the order of `attemptRow`. */
export const ATTEMPT_COLUMNS = [
  ...["fact_id", "n", "at_ms", "provider", "model", "fault", "cost", "input_tokens"],
  ...["output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_long_tokens"],
  ...["reasoning_tokens", "first_event_ms"],
] as const;

export function attemptRow(attempt: AttemptFact, factId: string): SqlValue[] {
  return [
    ...[
      factId,
      attempt.n,
      attempt.at,
      attempt.provider,
      plainName(attempt.model),
      attempt.fault ?? null,
    ],
    ...[attempt.cost, ...usageRow(attempt.usage), attempt.firstEventMs ?? null],
  ];
}

function usageRow(claimed: BillableUsage): readonly number[] {
  const usage = consistent(claimed);
  return [
    ...[usage.inputTokens, usage.outputTokens, usage.cacheReadTokens],
    ...[usage.cacheWriteTokens, usage.cacheWriteLongTokens, usage.reasoningTokens],
  ];
}

/** Columns of `balance` that grow with every fact, in the order of `balanceRows`. */
export const BALANCE_COLUMNS = [
  ...["tenant", "key_id", "facts", "input_tokens", "output_tokens", "charged_nano"],
] as const;

/**
 * What facts add to balances, a row for each, in one order everywhere: two nodes never wait for
 * each other. No tenant and no key are the empty name.
 */
export function balanceRows(facts: readonly UsageFact[]): readonly SqlValue[][] {
  const sums = new Map<string, Sum>();
  for (const { tenant = "", key = "", usage, chargedNano } of facts) {
    const name = `${tenant}\0${key}`;
    const sum = sums.get(name) ?? { tenant, key, facts: 0, input: 0n, output: 0n, charged: 0n };
    sum.facts++;
    sum.input += BigInt(usage.inputTokens);
    sum.output += BigInt(usage.outputTokens);
    sum.charged += chargedNano;
    sums.set(name, sum);
  }
  const names = [...sums.keys()].sort();
  return names.map((name) => {
    const sum = sums.get(name)!;
    return [sum.tenant, sum.key, sum.facts, sum.input, sum.output, sum.charged];
  });
}

interface Sum {
  readonly tenant: string;
  readonly key: string;
  facts: number;
  input: bigint;
  output: bigint;
  charged: bigint;
}

/** Adds to a balance, or begins it. */
export const ADD_TO_BALANCE = `INSERT INTO balance (${BALANCE_COLUMNS.join(", ")})
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key_id) DO UPDATE SET
  facts = balance.facts + excluded.facts,
  input_tokens = balance.input_tokens + excluded.input_tokens,
  output_tokens = balance.output_tokens + excluded.output_tokens,
  charged_nano = balance.charged_nano + excluded.charged_nano`;
