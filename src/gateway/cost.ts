import type { Delivery } from "../core/outcome.ts";
import type { Limits } from "../core/limits.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import { Rejection } from "../core/rejection.ts";
import type { Envelope } from "../core/request.ts";
import type { Ms, Nano } from "../core/units.ts";
import type { Usage } from "../core/usage.ts";
import type { Asked, Settled } from "../governor/limit-book.ts";
import type { Key } from "../ingress/authenticate.ts";
import type { Target } from "../router/routes.ts";
import { priceOf } from "../state/rate-card/price.ts";
import type { RateCard } from "../state/rate-card/rate-card.ts";
import { billable } from "../state/rate-card/usage.ts";
import { nameFor } from "../upstream/prepare.ts";

/** English text runs at about four bytes a token: OpenAI's own rule of thumb. */
export const BYTES_PER_TOKEN = 4;
/** What an answer may come to where neither caller nor configuration says. */
const OUTPUT_TOKENS = 4096;

export interface AskOptions {
  readonly key: Key;
  readonly target: Target;
  readonly card: RateCard;
  readonly wall: Ms;
}

/**
 * The most that a request can come to, to be reserved: its input by estimate and all the output it
 * may have, at the dearest of the lanes that could answer it.
 */
export function askOf(
  envelope: Envelope,
  { key, target, card, wall }: AskOptions,
): Asked | Rejection {
  const inputTokens = Math.ceil(envelope.bodyBytes / BYTES_PER_TOKEN);
  const outputTokens = outputMax(envelope, target);
  const asked = { key, inputTokens, tokens: inputTokens + outputTokens };
  if (!spendsMoney(key)) return { ...asked, inputNano: 0, nano: 0, outputNanoPerMillion: 0 };
  const most = mostOf(envelope, { key, target, card, wall }, { inputTokens, outputTokens });
  if (most === undefined) return new Rejection({ kind: "unpriced_model", model: envelope.model });
  const { inputNano, nano } = most;
  const outputNanoPerMillion = Math.ceil(((nano - inputNano) * 1e6) / outputTokens);
  return { ...asked, inputNano, nano, outputNanoPerMillion };
}

interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What a request can come to in money, of its tokens; undefined when nobody knows a price. */
export function mostNano(
  { inputTokens, tokens }: Pick<Asked, "inputTokens" | "tokens">,
  { envelope, ...options }: AskOptions & { readonly envelope: Envelope },
): Nano | undefined {
  return mostOf(envelope, options, { inputTokens, outputTokens: tokens - inputTokens })?.nano;
}

function mostOf(
  envelope: Envelope,
  { key, target, card, wall }: AskOptions,
  { inputTokens, outputTokens }: Tokens,
): { readonly inputNano: Nano; readonly nano: Nano } | undefined {
  let [inputNano, nano]: [Nano, Nano] = [0, 0];
  for (const lane of target.shareable.lanes) {
    const sold = { lane, model: nameFor(lane, envelope), card, wall };
    const input = costOf(usageOf(inputTokens, 0), sold);
    const whole = costOf(usageOf(inputTokens, outputTokens), sold);
    if (input === undefined || whole === undefined) return undefined;
    inputNano = Math.max(inputNano, marked(input, key));
    nano = Math.max(nano, marked(whole, key));
  }
  return { inputNano, nano };
}

/** Who brings its own key pays its provider itself. */
function spendsMoney({ limits, tenant, own }: Key): boolean {
  return (
    own === undefined && (isInMoney(limits) || (tenant !== undefined && isInMoney(tenant.limits)))
  );
}

function isInMoney({ budgets }: Limits): boolean {
  return budgets.some(({ unit }) => unit === "usd");
}

function outputMax({ outputTokensMax, operation }: Envelope, { shareable }: Target): number {
  if (operation === "embeddings" || operation === "rerank") return 1;
  const caps = shareable.lanes.map(({ capabilities }) => capabilities.outputCapMax ?? 0);
  return Math.max(1, outputTokensMax ?? (Math.max(0, ...caps) || OUTPUT_TOKENS));
}

function usageOf(inputTokens: number, outputTokens: number): Usage {
  return { inputTokens, outputTokens, cacheReadTokens: 0, reasoningTokens: 0 };
}

export interface Sold {
  readonly lane: Lane<Placement>;
  /** The name the backend billed. */
  readonly model: string;
  readonly card: RateCard;
  readonly wall: Ms;
}

/** What tokens cost at a lane; undefined when nobody knows. One's own machine is free. */
export function costOf(usage: Usage, { lane, model, card, wall }: Sold): Nano | undefined {
  if (lane.backend.placement === "local") return 0;
  const sale = { provider: lane.backend.name, model, usage: billable(usage), at: wall };
  const { nano } = priceOf(card, sale);
  return nano === undefined ? undefined : Number(nano);
}

/** What a key is charged for what costs so much: its tenant's markup is on it. */
export function marked(nano: Nano, key: Pick<Key, "tenant" | "own"> | undefined): Nano {
  if (key?.own !== undefined) return 0;
  const percent = key?.tenant?.markupPercent ?? 0;
  return percent === 0 ? nano : Math.ceil((nano * (100 + percent)) / 100);
}

/** What a delivered answer came to. */
export function settledOf({ lane, usage }: Delivery, sold: Omit<Sold, "lane">): Settled {
  return {
    tokens: usage.inputTokens + usage.outputTokens,
    nano: costOf(usage, { ...sold, lane }) ?? 0,
    estimated: usage.provenance !== "reported",
    outputTokens: usage.outputTokens,
  };
}
