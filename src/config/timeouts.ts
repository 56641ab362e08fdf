import type { Deadlines } from "../core/backend.ts";
import { DEFAULTS } from "./defaults.ts";
import type { FileConfig, FileTimeout } from "./schema.ts";

/** A value, and where it came from when the place itself does not say it. */
export interface Sourced {
  readonly seconds: number;
  readonly from: string | undefined;
}
/** The four timeouts of an answer. */
export interface Timeouts {
  readonly connect: Sourced;
  readonly request: Sourced;
  readonly stall: Sourced;
  readonly streaming: Sourced;
}

/**
 * The gateway's own timeouts. `request_seconds` is how long a request waits for its answer to
 * begin, and `streaming_seconds` how long the whole answer may take: a buffered answer begins when
 * it is complete, so that both words keep the meaning they have elsewhere.
 */
export function gatewayTimeouts(file: FileConfig): Timeouts {
  const given = file.resilience?.timeout;
  const server = file.server?.timeout_seconds;
  return {
    connect: first([given?.connect_seconds, "resilience.timeout"], DEFAULTS.connectSeconds),
    request: first(
      [given?.request_seconds, "resilience.timeout"],
      DEFAULTS.requestSeconds,
      server === undefined ? undefined : { seconds: server, from: "server.timeout_seconds" },
    ),
    stall: first([given?.stall_seconds, "resilience.timeout"], DEFAULTS.stallSeconds),
    streaming: first([given?.streaming_seconds, "resilience.timeout"], DEFAULTS.streamingSeconds),
  };
}

/** A provider's timeouts: its own, else the gateway's. */
export function providerTimeouts(
  gateway: Timeouts,
  own: FileTimeout | null | undefined,
  requestSeconds: number | undefined,
): Timeouts {
  const pick = (seconds: number | undefined, other: Sourced): Sourced =>
    seconds === undefined ? other : { seconds, from: undefined };
  return {
    connect: pick(own?.connect_seconds, gateway.connect),
    request: pick(own?.request_seconds ?? requestSeconds, gateway.request),
    stall: pick(own?.stall_seconds, gateway.stall),
    streaming: pick(own?.streaming_seconds, gateway.streaming),
  };
}

/** Timeouts as an attempt wants them. */
export function deadlinesOf(timeouts: Timeouts): Deadlines {
  return {
    connectMs: timeouts.connect.seconds * 1000,
    firstEventMs: timeouts.request.seconds * 1000,
    stallMs: timeouts.stall.seconds * 1000,
    totalMs: timeouts.streaming.seconds * 1000,
  };
}

function first(
  [given, from]: readonly [number | undefined, string],
  fallback: number,
  other?: Sourced,
): Sourced {
  if (given !== undefined) return { seconds: given, from };
  return other ?? { seconds: fallback, from: "default" };
}
