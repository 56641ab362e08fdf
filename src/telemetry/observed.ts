import type { Ms } from "../core/units.ts";

/** What the last request to a backend taught about it. */
export interface Observation {
  readonly state: "ok" | "failing";
  /** The fault's kind; undefined while it is fine. */
  readonly fault: string | undefined;
  /** On the monotonic clock. */
  readonly at: Ms;
}

/** The last observation of each backend, by name. Bounded by the configuration's backends. */
export type Observed = Map<string, Observation>;
