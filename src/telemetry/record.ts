import type { Translated } from "../core/outcome.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement, Privacy } from "../core/privacy.ts";
import type { Reason } from "../core/rejection.ts";
import type { MeteredUsage } from "../core/usage.ts";
import type { Metrics } from "./catalogue.ts";
import {
  type HandleTable,
  handlesOf,
  NONE,
  type Names,
  requestsWith,
  type UpstreamHandles,
} from "./handles.ts";
import type { Counter } from "./instruments.ts";
import type { Observed } from "./observed.ts";
import { OTHER } from "./registry.ts";
import {
  type AttemptFact,
  conductOf,
  laneOf,
  lateFailure,
  type SettledRequest,
  statusOfOutcome,
} from "./settled.ts";

/** Where settled requests are counted. Made anew with each configuration; the metrics stay. */
export interface Recorder {
  readonly metrics: Metrics;
  readonly observed: Observed;
  /** Models and pools of the configuration: the only names the label `model` may take. */
  readonly modelNames: ReadonlySet<string>;
  readonly handles: HandleTable;
  readonly byPrivacy: Readonly<Record<Privacy, Counter>>;
}

export interface RecorderOptions {
  readonly modelNames: ReadonlySet<string>;
  readonly observed: Observed;
}

export function createRecorder(metrics: Metrics, options: RecorderOptions): Recorder {
  const byPrivacy = {
    private: metrics.privacy.series({ class: "private" }),
    shareable: metrics.privacy.series({ class: "shareable" }),
  };
  return { metrics, ...options, handles: new Map(), byPrivacy };
}

/** Counts one request and says under which labels. Called by settle, once. */
export function recordRequest(recorder: Recorder, request: SettledRequest): Names {
  const { metrics } = recorder;
  const { outcome } = request;
  const names = namesOf(request, recorder.modelNames);
  const handles = handlesOf(recorder.handles, metrics, names);
  requestsWith(metrics, handles, statusOfOutcome(outcome)).add(1);
  handles.duration.observe(request.durationMs / 1000);
  if (request.privacy !== undefined) recorder.byPrivacy[request.privacy].add(1);
  if (outcome.kind === "rejected") countLimit(metrics, outcome.reason);
  if ("delivery" in outcome && handles.upstream) {
    countTokens(handles.upstream, outcome.delivery.usage);
    countTranslation(metrics, outcome.delivery.translated);
  }
  for (let at = 0; at < request.attempts.length; at++) recordAttempt(recorder, request, at);
  recordLateFailure(recorder, request);
  if (outcome.kind === "answered" && outcome.ending.kind === "stopped") {
    metrics.streamsStopped.series({ why: outcome.ending.why }).add(1);
  }
  return names;
}

/** Names of the configuration, whatever the client wrote. */
function namesOf(request: SettledRequest, modelNames: ReadonlySet<string>): Names {
  const lane = laneOf(request);
  if (lane) return laneNames(lane, modelNames);
  return { provider: NONE, model: request.label ?? modelName(request.asked, modelNames) };
}

function laneNames(lane: Lane<Placement>, modelNames: ReadonlySet<string>): Names {
  return { provider: lane.backend.name, model: modelName(lane.model, modelNames) };
}

/** A default backend serves any name a client makes up, so a lane's model is checked as well. */
function modelName(name: string | undefined, modelNames: ReadonlySet<string>): string {
  if (name === undefined) return NONE;
  return modelNames.has(name) ? name : OTHER;
}

function countTokens(upstream: UpstreamHandles, usage: MeteredUsage): void {
  upstream.input.add(usage.inputTokens);
  upstream.output.add(usage.outputTokens);
  upstream.cacheRead.add(usage.cacheReadTokens);
  upstream.cacheWrite.add(usage.cacheWriteTokens ?? 0);
  upstream.reasoning.add(usage.reasoningTokens);
}

function countTranslation(metrics: Metrics, translated: Translated | undefined): void {
  if (translated === undefined) return;
  const { from, to, losses } = translated;
  metrics.translations.series({ from, to }).add(1);
  for (const code of losses) metrics.losses.series({ code, from, to }).add(1);
}

function countLimit(metrics: Metrics, reason: Reason): void {
  if (reason.kind === "rate_limited") metrics.rateLimited.series({ limit: reason.limit }).add(1);
  if (reason.kind === "budget_exhausted") metrics.rateLimited.series({ limit: "budget" }).add(1);
}

function recordAttempt(recorder: Recorder, request: SettledRequest, at: number): void {
  const { metrics, modelNames } = recorder;
  const attempt = request.attempts[at]!;
  const names = laneNames(attempt.lane, modelNames);
  const { provider } = names;
  const { upstream } = handlesOf(recorder.handles, metrics, names);
  upstream?.attempts.add(1);
  if (at > 0) metrics.retries.series({ provider }).add(1);
  if (attempt.firstEventMs !== undefined) upstream?.latency.observe(attempt.firstEventMs / 1000);
  if (attempt.fault) metrics.providerErrors.series({ provider, kind: attempt.fault.kind }).add(1);
  observe(recorder, attempt, request.at);
}

function observe({ observed }: Recorder, attempt: AttemptFact, at: number): void {
  const conduct = conductOf(attempt);
  const { name } = attempt.lane.backend;
  if (conduct === "answered") observed.set(name, { state: "ok", fault: undefined, at });
  if (conduct === "failed")
    observed.set(name, { state: "failing", fault: attempt.fault?.kind, at });
}

/** An answer that failed after its first event: its attempt counted as good until now. */
function recordLateFailure({ metrics, observed }: Recorder, request: SettledRequest): void {
  const kind = lateFailure(request.outcome);
  const lane = laneOf(request);
  if (kind === undefined || !lane) return;
  const provider = lane.backend.name;
  metrics.providerErrors.series({ provider, kind }).add(1);
  observed.set(provider, { state: "failing", fault: kind, at: request.at });
  if (kind === "reported") return; // The upstream's own error frame told the client: not our doing.
  const { streamFailure: mode, dialect: protocol } = request;
  metrics.streamsBroken.series({ mode, protocol }).add(1);
}
