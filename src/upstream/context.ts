import type { FailoverConfig, RelayConfig } from "../config/config.ts";
import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { Dialect } from "../protocol/dialect.ts";
import type { Clock, Random } from "../runtime/runtime.ts";
import type { AttemptFact } from "../telemetry/settled.ts";
import type { WholeAnswer } from "./committed.ts";
import type { Egress } from "./egress.ts";

/** What the attempts of one request may use. */
export interface AttemptContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly dialect: Dialect;
  readonly egressOf: (lane: Lane<Placement>) => Egress;
  readonly failover: FailoverConfig;
  readonly relay: RelayConfig;
  readonly userAgent: string;
  /** The caller's headers; only an allow-list of them goes on. */
  readonly clientHeaders: Headers;
  /** Aborts when the client leaves. */
  readonly client: AbortSignal;
  /** Each try is noted here, in order: metrics and the log line are made of it. */
  readonly facts: AttemptFact[];
}

/** A failed attempt, and the upstream's own words when they may be passed on. */
export interface Failed {
  readonly fault: Fault;
  readonly answer: WholeAnswer | undefined;
}
