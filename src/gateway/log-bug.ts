import type { Log } from "../runtime/runtime.ts";

/** A bug's kind and place. Its message may quote a payload and stays out of the log. */
export function logBug(log: Log, bug: unknown): void {
  const error = bug instanceof Error ? bug : undefined;
  const place = error?.stack?.split("\n").find((line) => line.trim().startsWith("at "));
  log.line("error", "gateway", "A bug was caught", {
    error: error?.name ?? typeof bug,
    at: place?.trim(),
  });
}
