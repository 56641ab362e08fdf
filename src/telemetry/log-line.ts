import type { Fault } from "../core/fault.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Log, LogLevel } from "../runtime/runtime.ts";
import type { Names } from "./handles.ts";
import { OTHER } from "./registry.ts";
import { lateFailure, type SettledRequest, statusOfOutcome } from "./settled.ts";

/**
 * All a request's line may hold after timestamp, level, target and message, in this order. The
 * first six keys are features.md c-M2's. No field takes a client's words but the request id, which
 * ingress has validated, and the model where it is shaped like a name.
 */
export type RequestFields = {
  readonly request_id: string;
  readonly provider: string;
  readonly model: string;
  readonly latency_ms: number;
  readonly tokens: { readonly input: number; readonly output: number };
  readonly status: number;
  readonly protocol: string;
  readonly key: string | undefined;
  readonly tenant: string | undefined;
  readonly privacy: string | undefined;
  /** Backends tried, in order, each with what went wrong there. */
  readonly route: string | undefined;
  readonly attempts: number;
  readonly first_event_ms: number | undefined;
  readonly ending: string;
  /** Why we refused; undefined when we did not. */
  readonly reason: string | undefined;
  readonly fault: string | undefined;
  readonly bytes: number | undefined;
  /** Who says how many tokens: `reported`, `estimated` or `partial`. */
  readonly usage: string | undefined;
  /** `anthropic>openai`; undefined where both sides spoke the same. */
  readonly translated: string | undefined;
  /** Codes of what that lost, each once. */
  readonly losses: string | undefined;
};

/** A request's line before it meets the log. */
export interface RequestLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: RequestFields;
}

/** Writes the one line of a request. Called by settle, once. */
export function logRequest(log: Log, line: RequestLine): void {
  log.line(line.level, "gateway", line.message, line.fields);
}

/** `names` are the labels the request was counted under: `recordRequest` returns them. */
export function requestLine(request: SettledRequest, names: Names): RequestLine {
  const { outcome } = request;
  const delivery = "delivery" in outcome ? outcome.delivery : undefined;
  const translated = delivery?.translated;
  const fields: RequestFields = {
    request_id: request.id,
    provider: names.provider,
    model: names.model === OTHER ? (nameOf(request.asked) ?? OTHER) : names.model,
    latency_ms: Math.round(request.durationMs),
    tokens: {
      input: delivery?.usage.inputTokens ?? 0,
      output: delivery?.usage.outputTokens ?? 0,
    },
    status: statusOfOutcome(outcome),
    protocol: request.dialect,
    key: request.key,
    tenant: request.tenant,
    privacy: request.privacy,
    route: routeOf(request),
    attempts: request.attempts.length,
    first_event_ms: delivery && Math.round(delivery.firstEventMs),
    ending: endingOf(outcome),
    reason: outcome.kind === "rejected" ? outcome.reason.kind : undefined,
    fault: faultOf(outcome),
    bytes: delivery?.byteCount,
    usage: outcome.kind === "answered" ? outcome.delivery.usage.provenance : undefined,
    translated: translated && `${translated.from}>${translated.to}`,
    losses: translated?.losses.join(" ") || undefined,
  };
  return { level: levelOf(outcome), message: messageOf(outcome), fields };
}

/**
 * Errors are what only the operator can mend, warnings what an upstream did to a client. A client's
 * own mistakes and departures are everyday.
 */
function levelOf(outcome: Outcome): LogLevel {
  switch (outcome.kind) {
    case "bug":
      return "error";
    case "relayed_error":
    case "served":
      return "info";
    case "answered":
      return lateFailure(outcome) === undefined ? "info" : "warn";
    case "rejected":
      if (outcome.reason.kind === "upstream_failed") return levelOfFault(outcome.reason.fault);
      if (outcome.reason.kind === "bug") return "error";
      return statusOfOutcome(outcome) >= 500 ? "warn" : "info";
  }
}

function levelOfFault(fault: Fault): LogLevel {
  switch (fault.kind) {
    case "auth":
    case "billing":
    case "redirect":
    case "tls":
    case "address_refused":
      return "error";
    case "client_error":
    case "context_length":
    case "not_now":
      return "info";
    case "rate_limited":
    case "overloaded":
    case "server_error":
    case "timeout":
    case "network":
    case "protocol":
      return "warn";
  }
}

function messageOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case "bug":
      return "Request failed on a bug";
    case "served":
      return "Request completed";
    case "relayed_error":
      return "Upstream refused the request";
    case "rejected":
      if (outcome.reason.kind === "client_gone") return "Client left";
      return outcome.reason.kind === "upstream_failed" ? "No upstream answered" : "Request refused";
    case "answered":
      return messageOfEnding(outcome.ending.kind);
  }
}

function messageOfEnding(kind: (Outcome & { kind: "answered" })["ending"]["kind"]): string {
  switch (kind) {
    case "completed":
      return "Request completed";
    case "client_gone":
      return "Client left";
    case "client_stalled":
      return "Client stopped reading";
    case "upstream_reported":
      return "Upstream reported an error mid-answer";
    case "truncated":
    case "timeout":
      return "Answer broke off";
    case "stopped":
      return "Answer ended by a rule about its key";
  }
}

function endingOf(outcome: Outcome): string {
  if (outcome.kind !== "answered") return outcome.kind;
  const { ending } = outcome;
  if (ending.kind === "stopped") return `stopped/${ending.why}`;
  return ending.kind === "timeout" ? `timeout/${ending.phase}` : ending.kind;
}

function faultOf(outcome: Outcome): string | undefined {
  if (outcome.kind === "relayed_error") return faultText(outcome.fault);
  if (outcome.kind !== "rejected" || outcome.reason.kind !== "upstream_failed") return undefined;
  return faultText(outcome.reason.fault);
}

/** A model nobody configured, as the caller wrote it, when it can be nothing but a name. */
function nameOf(asked: string | undefined): string | undefined {
  return asked !== undefined && /^[\w.:/@+-]{1,128}$/.test(asked) ? asked : undefined;
}

/** Only words of ours: a protocol fault's own description may quote the upstream. */
function faultText(fault: Fault): string {
  return fault.kind === "timeout" ? `timeout/${fault.phase}` : fault.kind;
}

function routeOf({ attempts }: SettledRequest): string | undefined {
  if (attempts.length === 0) return undefined;
  return attempts
    .map(({ lane, fault }) => lane.backend.name + (fault ? `(${faultText(fault)})` : ""))
    .join(" > ");
}
