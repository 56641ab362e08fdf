import type { Environment } from "../config/env.ts";

/** All that a command may touch, so that tests can stand in for the terminal. */
export interface Io {
  stdout(text: string): void;
  stderr(text: string): void;
  /** @throws an error with a `code`, as node:fs does, when the file cannot be read. */
  readFile(path: string): Promise<string>;
  readonly env: Environment;
}

/** Exit codes: done, found wanting, not understood. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
