import type { Metrics } from "./catalogue.ts";
import type { Counter, Histogram } from "./instruments.ts";
import { OTHER } from "./registry.ts";

/** Stands for the provider of a request that reached none, and the model of one that named none. */
export const NONE = "none";

/** What one (provider, model) counts on, found once so that a request builds no label text. */
export interface Handles {
  readonly provider: string;
  readonly model: string;
  readonly requests: Map<number, Counter>;
  readonly duration: Histogram;
  /** Undefined for requests that reached no provider: no zero series for those. */
  readonly upstream: UpstreamHandles | undefined;
}
export interface UpstreamHandles {
  readonly input: Counter;
  readonly output: Counter;
  readonly cacheRead: Counter;
  readonly cacheWrite: Counter;
  readonly reasoning: Counter;
  readonly attempts: Counter;
  readonly latency: Histogram;
}

/** Handles by provider and model; as many as the configuration has pairs. */
export type HandleTable = Map<string, Map<string, Handles>>;

/** The handles of a pair, made when it is first seen. */
export function handlesOf(table: HandleTable, metrics: Metrics, names: Names): Handles {
  const { provider, model } = names;
  let byModel = table.get(provider);
  if (!byModel) table.set(provider, (byModel = new Map()));
  let handles = byModel.get(model);
  if (!handles) byModel.set(model, (handles = makeHandles(metrics, names)));
  return handles;
}

/** The labels of one request: names of the configuration or our own stand-ins. */
export interface Names {
  readonly provider: string;
  readonly model: string;
}

/** The counter of requests that ended with `status`. */
export function requestsWith(metrics: Metrics, handles: Handles, status: number): Counter {
  const inRange = status >= 100 && status <= 599 ? status : 0;
  const known = handles.requests.get(inRange);
  if (known) return known;
  const { provider, model } = handles;
  // An upstream may answer any number; only what HTTP calls a status becomes a label.
  const text = inRange === 0 ? OTHER : String(inRange);
  const counter = metrics.requests.series({ status: text, provider, model });
  handles.requests.set(inRange, counter);
  return counter;
}

function makeHandles(metrics: Metrics, { provider, model }: Names): Handles {
  return {
    provider,
    model,
    requests: new Map(),
    duration: metrics.duration.series({ provider, model }),
    upstream: provider === NONE ? undefined : makeUpstream(metrics, { provider, model }),
  };
}

function makeUpstream(metrics: Metrics, { provider, model }: Names): UpstreamHandles {
  const tokens = (token_type: string): Counter =>
    metrics.tokens.series({ provider, model, token_type });
  return {
    input: tokens("input"),
    output: tokens("output"),
    cacheRead: tokens("cache_read"),
    cacheWrite: tokens("cache_write"),
    reasoning: tokens("reasoning"),
    attempts: metrics.providerRequests.series({ provider }),
    latency: metrics.providerLatency.series({ provider, model }),
  };
}
