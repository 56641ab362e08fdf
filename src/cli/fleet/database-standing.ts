import type { ShipStatus } from "../fact-shipper.ts";
import type { ShareStanding } from "../share-keeper.ts";
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

interface Parts {
  readonly keys: LinkStatus;
  readonly facts: ShipStatus | undefined;
  readonly shares: Pick<ShareStanding, "problem"> | undefined;
}

export function standingOf(parts: Parts): DatabaseStanding {
  const { keys, facts, shares } = parts;
  const problem = keys.problem ?? facts?.problem ?? shares?.problem ?? null;
  return {
    status: keys.isLinked && problem === null ? "in_step" : "behind",
    keys_behind_seconds: Math.round(keys.behindMs / 1000),
    facts_waiting: facts?.waiting ?? 0,
    problem,
  };
}
