import type { ShipStatus } from "../fact-shipper.ts";
import type { LinkStatus } from "../../state/keys/key-link.ts";

/** How a node stands to the database that it shares with others. */
export interface DatabaseStanding {
  /** Whether what others change is known here, and what is used here gets there. */
  readonly status: "in_step" | "behind";
  /** How long ago the keys here were surely all there are. */
  readonly keys_behind_seconds: number;
  /** Facts of this node that wait in its own ledger. */
  readonly facts_waiting: number;
  readonly problem: string | null;
}

export function standingOf(keys: LinkStatus, facts: ShipStatus | undefined): DatabaseStanding {
  const problem = keys.problem ?? facts?.problem ?? null;
  return {
    status: keys.isLinked && problem === null ? "in_step" : "behind",
    keys_behind_seconds: Math.round(keys.behindMs / 1000),
    facts_waiting: facts?.waiting ?? 0,
    problem,
  };
}
