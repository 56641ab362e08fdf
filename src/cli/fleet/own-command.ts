import { existsSync } from "node:fs";
import { selfCommand } from "../bench/self.ts";

/**
 * How to start the very program that runs now: its file may have been replaced by another version
 * since, and workers of two versions must not serve under one supervisor.
 */
export function ownCommand(): readonly string[] {
  const running = `/proc/${process.pid}/exe`;
  const [path, ...script] = selfCommand();
  return [existsSync(running) ? running : path!, ...script];
}
