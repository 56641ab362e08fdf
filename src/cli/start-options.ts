import { parseArgs } from "node:util";
import type { Flags } from "../config/env.ts";

export interface StartOptions {
  /** The configuration file; undefined leaves it to the environment and to discovery. */
  readonly config: string | undefined;
  readonly flags: Flags;
}

/** The options of `interlock start`; a sentence when they cannot be read. */
export function readStartOptions(argv: readonly string[]): StartOptions | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        config: { type: "string", short: "c" },
        port: { type: "string", short: "p" },
        host: { type: "string", short: "H" },
        "metrics-port": { type: "string" },
        workers: { type: "string" },
        "log-level": { type: "string" },
      },
      strict: true,
      allowPositionals: false,
    });
    const { config, host, port, workers } = values;
    const metricsPort = values["metrics-port"];
    return { config, flags: { host, port, metricsPort, workers, logLevel: values["log-level"] } };
  } catch (error) {
    return error instanceof Error ? error.message : "the options cannot be read";
  }
}
