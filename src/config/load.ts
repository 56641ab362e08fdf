import type { Diagnostic } from "./config.ts";
import type { ResolveOptions, Resolved } from "./resolve.ts";
import { resolve } from "./resolve.ts";

/** As `resolve` takes them, with a way to the file. */
export interface LoadOptions extends ResolveOptions {
  /** @throws an error with a `code`, as node:fs does, when the file cannot be read. */
  readonly readFile: (path: string) => Promise<string>;
}

/** Reads and resolves the configuration file at `path`. */
export async function load({ readFile, ...options }: LoadOptions): Promise<Resolved> {
  const text = await readFile(options.path).catch((cause: unknown) => ({ cause }));
  if (typeof text === "string") return resolve(text, options);
  const error = unreadable(options.path, text.cause);
  return { ok: false, errors: [error], warnings: [], notActive: [] };
}

/** Only the code of the error is told: its message is another program's text. */
function unreadable(path: string, cause: unknown): Diagnostic {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
  if (code === "ENOENT") {
    return { path, reason: "there is no such file", fix: "check the path given with --config" };
  }
  const fix = code === "EISDIR" ? "name a file, not a directory" : "check its permissions";
  return { path, reason: `the file cannot be read (${code})`, fix };
}
