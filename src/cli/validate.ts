import { CONFIG_VARIABLE, variable } from "../config/env.ts";
import { load } from "../config/load.ts";
import type { Resolved } from "../config/resolve.ts";
import { readFileArguments } from "./arguments.ts";
import { diagnosticsText, notActiveText } from "./diagnostics.ts";
import { EXIT, type Io } from "./io.ts";

const USAGE = "Usage: interlock validate FILE [--strict] [--json]\n";

/** `interlock validate FILE`: every error with its fix, then warnings, then what is not active. */
export async function validate(argv: readonly string[], io: Io): Promise<number> {
  const options = readFileArguments(argv);
  if (typeof options === "string") return misused(options, io);
  const path = options.file ?? variable(io.env, CONFIG_VARIABLE);
  if (path === undefined) return misused("no file is named", io);
  const resolved = await load({ path, env: io.env, readFile: (name) => io.readFile(name) });
  const report = reportOf(resolved);
  const failed = report.errors.length > 0 || (options.strict && report.warnings.length > 0);
  if (options.json) {
    const { errors, warnings, notActive: not_active } = report;
    io.stdout(`${JSON.stringify({ ok: !failed, path, errors, warnings, not_active })}\n`);
  } else io.stdout(textOf(report, { path, failed }));
  return failed ? EXIT.failed : EXIT.ok;
}

function reportOf(resolved: Resolved) {
  if (!resolved.ok) return resolved;
  const { warnings, notActive } = resolved.config;
  return { errors: [], warnings, notActive };
}

function textOf(
  { errors, warnings, notActive }: ReturnType<typeof reportOf>,
  { path, failed }: { readonly path: string; readonly failed: boolean },
): string {
  const parts = [
    diagnosticsText("Errors", errors),
    diagnosticsText("Warnings", warnings),
    notActiveText(notActive),
    `${path}: ${failed ? verdictOf(errors.length) : "valid"}\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function verdictOf(errorCount: number): string {
  if (errorCount === 0) return "valid, but --strict allows no warnings";
  return `not valid, ${errorCount} error${errorCount === 1 ? "" : "s"}`;
}

function misused(why: string, io: Io): number {
  io.stderr(`interlock: ${why}\n${USAGE}`);
  return EXIT.usage;
}
