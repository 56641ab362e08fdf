import { parseArgs } from "node:util";
import { GROUPS, type GroupBy } from "../state/ledger/read.ts";
import { readWindow } from "../state/ledger/window.ts";
import { DATABASE_OPTIONS, type DatabaseOptions } from "./database.ts";
import type { Ms } from "../core/units.ts";

/** What `cost`, `token-usage` and `latency` are asked. */
export interface LedgerQuestion extends DatabaseOptions {
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly tenant: string | undefined;
  readonly windowMs: Ms;
  /** As it was written. */
  readonly window: string;
  readonly groupBy: GroupBy | undefined;
  readonly output: "text" | "json" | "csv";
  /** The command's own flag: more columns. */
  readonly detailed: boolean;
  readonly rateCard: string | undefined;
  readonly stateDir: string | undefined;
  readonly help: boolean;
  /** Options of the program that these commands have no use for. */
  readonly unused: readonly string[];
}

/** How one command differs from the others. */
export interface LedgerCommand {
  /** The name of its own flag. */
  readonly detail: "breakdown" | "detailed" | "percentiles";
  readonly window: string;
}

/** Reads the options; a sentence when they cannot be understood. */
export function readQuestion(
  argv: readonly string[],
  { detail, window: usual }: LedgerCommand,
): LedgerQuestion | string {
  const values = optionsOf(argv, detail);
  if (typeof values === "string") return values;
  const window = values.window ?? usual;
  const windowMs = readWindow(window);
  if (windowMs === undefined) return `--window ${window} is no duration: 30m, 24h, 7d or all`;
  const group = values["group-by"];
  const groupBy = GROUPS.find((each) => each === group);
  if (group !== undefined && groupBy === undefined) {
    return `--group-by ${group} is none of ${GROUPS.join(", ")}`;
  }
  if (values.json && values.csv) return "--json and --csv are two outputs";
  return {
    ...{ provider: values.provider, model: values.model, tenant: values.tenant },
    ...{ window, windowMs, groupBy, help: values.help },
    output: values.json ? "json" : values.csv ? "csv" : "text",
    detailed: values[detail],
    rateCard: values["rate-card"],
    stateDir: values["state-dir"],
    ...{ config: values.config, "database-url": values["database-url"] },
    unused: (["url", "api-key"] as const).filter((name) => values[name] !== undefined),
  };
}

function optionsOf(argv: readonly string[], detail: LedgerCommand["detail"]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        provider: { type: "string", short: "p" },
        model: { type: "string", short: "m" },
        tenant: { type: "string", short: "t" },
        window: { type: "string", short: "w" },
        "group-by": { type: "string", short: "g" },
        json: { type: "boolean", default: false },
        csv: { type: "boolean", default: false },
        "rate-card": { type: "string" },
        "state-dir": { type: "string" },
        ...DATABASE_OPTIONS,
        url: { type: "string", short: "u" },
        "api-key": { type: "string", short: "k" },
        verbose: { type: "boolean", short: "v", multiple: true },
        help: { type: "boolean", short: "h", default: false },
        [detail]: { type: "boolean", default: false },
      },
      strict: true,
    });
    return { breakdown: false, detailed: false, percentiles: false, ...values };
  } catch (error) {
    return error instanceof Error ? error.message : "the options cannot be read";
  }
}
