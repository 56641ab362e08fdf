import { availableParallelism } from "node:os";
import type { ServerConfig } from "../../config/config.ts";

/** How many processes are to serve: `auto` is one for each core this process may run on. */
export function workerCount({ workers }: Pick<ServerConfig, "workers">): number {
  return workers === "auto" ? availableParallelism() : workers;
}
