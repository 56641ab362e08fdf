import type { FailoverConfig, RelayConfig } from "../config/config.ts";
import type { Fault } from "../core/fault.ts";
import type { Lane } from "../core/pool.ts";
import type { Placement } from "../core/privacy.ts";
import type { RequestId } from "../core/ids.ts";
import type { Framing } from "../protocol/codec.ts";
import type { Dialect } from "../protocol/dialect.ts";
import type { Dialects } from "../protocol/dialects.ts";
import type { Severity } from "../protocol/ir/loss.ts";
import type { Proofs } from "../protocol/translate/proofs.ts";
import type { Clock, Random } from "../runtime/runtime.ts";
import type { AttemptFact } from "../telemetry/settled.ts";
import type { WholeAnswer } from "./committed.ts";
import type { Egress } from "./egress.ts";
import type { SentKey } from "./headers.ts";

/** What the attempts of one request may use. */
export interface AttemptContext {
  readonly clock: Clock;
  readonly random: Random;
  /** The caller's protocol. */
  readonly dialect: Dialect;
  readonly dialects: Dialects;
  readonly requestId: RequestId;
  readonly translation: TranslationContext;
  readonly egressOf: (lane: Lane<Placement>) => Egress;
  readonly failover: FailoverConfig;
  readonly relay: RelayConfig;
  readonly userAgent: string;
  /** The caller's headers; only an allow-list of them goes on. */
  readonly clientHeaders: Headers;
  /** The caller's own key for the one provider it names; else ours is sent. */
  readonly own: Omit<SentKey, "asItCame"> | undefined;
  /** The caller's method; anything but POST is a native call's. */
  readonly method: string;
  /** Aborts when the client leaves. */
  readonly client: AbortSignal;
  /** Each try is noted here, in order: metrics and the log line are made of it. */
  readonly facts: AttemptFact[];
}

/** What a translation needs beyond the request and the lane. */
export interface TranslationContext {
  readonly proofs: Proofs;
  /** How the caller wants a stream cut into events. */
  readonly framing: Framing;
  /** The least loss that ends the request; undefined: none does. */
  readonly refuse: Severity | undefined;
  /** What a stream loses on its way is not told in it. */
  readonly hidesLosses?: boolean | undefined;
}

/** A failed attempt, and the upstream's own words when they may be passed on. */
export interface Failed {
  readonly fault: Fault;
  readonly answer: WholeAnswer | undefined;
}
