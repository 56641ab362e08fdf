import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new directory that is gone at the end of the scope. */
export function stateDir(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "interlock-keys-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
