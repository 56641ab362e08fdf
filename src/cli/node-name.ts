import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../runtime/runtime.ts";

const FILE = "node";

/**
 * What this node is called among others: drawn once and kept in its state directory, so that it is
 * the same after a restart, and another's after the directory is.
 */
export function nodeName(directory: string, random: Random): string {
  const path = join(directory, FILE);
  const known = read(path);
  if (known !== undefined) return known;
  const name = random.hex(16);
  const making = `${path}.${name}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(making, `${name}\n`, { mode: 0o600 });
    linkSync(making, path); // Of several processes that begin together one draws it.
  } catch {
    // Another was first, or nothing can be kept here: then the name holds as long as we do.
  } finally {
    rmSync(making, { force: true });
  }
  return read(path) ?? name;
}

function read(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^[0-9a-f]{8,32}$/.test(text) ? text : undefined;
  } catch {
    return undefined; // It was never drawn.
  }
}
