import type { Case } from "./cases.ts";
import type { HoldReport } from "./hold.ts";
import type { WindowReport } from "./load.ts";
import type { Cores, Machine } from "./machine.ts";

/** Everything a run found out; what `--json` prints. */
export interface BenchResult {
  readonly machine: Machine;
  readonly command: string;
  readonly cores: Cores | undefined;
  readonly seconds: number;
  readonly windows: number;
  readonly sizes: Sizes;
  readonly cases: readonly CaseResult[];
  readonly holds: readonly HoldResult[];
  readonly memory: readonly MemoryResult[];
  readonly coldStarts: readonly ColdStartResult[];
  /** Contenders that did not answer a first request rightly, and what they said. */
  readonly refused: readonly { readonly name: string; readonly why: string }[];
  /** Every contender answered everything rightly. */
  readonly clean: boolean;
}

export interface Sizes {
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly streamBytes: number;
  readonly streamEvents: number;
}

export interface CaseResult {
  readonly case: Case;
  readonly contenders: readonly ContenderWindows[];
}
/** One contender's windows, in the order of the rounds: round n of all contenders ran together. */
export interface ContenderWindows {
  readonly name: string;
  readonly windows: readonly WindowReport[];
}

export interface HoldResult extends HoldReport {
  readonly name: string;
  readonly rssAfterBytes: number | undefined;
  /** Streams the mock still had open a while after the client had left: must be none. */
  readonly leftOpen: number;
}

export interface MemoryResult {
  readonly name: string;
  readonly idleBytes: number | undefined;
  /** The most seen at the end of any window. */
  readonly loadBytes: number | undefined;
  readonly afterBytes: number | undefined;
}

export interface ColdStartResult {
  readonly name: string;
  readonly ms: readonly number[];
}
