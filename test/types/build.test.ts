import { afterAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");
const copy = mkdtempSync(join(tmpdir(), "interlock-build-"));
afterAll(() => rmSync(copy, { recursive: true }));

/** A shareable request for everybody, by one line that the bundler would strip without a word. */
const LEAK = `
import type { Backend } from "./core/backend.ts";
import type { External, Private } from "./core/privacy.ts";
import type { Request } from "./core/request.ts";
export function leak(request: Request<Private>, backend: Backend<External>): Uint8Array {
  return request.unseal(backend);
}
`;

/** Builds the copy with one more file in it. */
function buildWith(file: string, text: string) {
  writeFileSync(join(copy, file), text);
  const build = Bun.spawnSync([process.execPath, "build.ts"], { cwd: copy });
  rmSync(join(copy, file));
  return {
    said: build.stdout.toString() + build.stderr.toString(),
    exitCode: build.exitCode,
    isBuilt: existsSync(join(copy, "dist")),
  };
}
for (const name of "src test bench build.ts package.json tsconfig.json bunfig.toml".split(" ")) {
  cpSync(join(ROOT, name), join(copy, name), { recursive: true });
}
symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));

test("a build of code that would leak stops at the types, and leaves no binary", () => {
  const built = buildWith("src/leak.ts", LEAK);
  expect(built).toMatchObject({ exitCode: 1, isBuilt: false });
  expect(built.said).toMatch(/src\/leak\.ts\(6,25\): error TS2345: .*Backend<"external">/);
}, 60_000);

test("a violation that has become legal stops it too", () => {
  const stale = "// @ts-expect-error a private request goes nowhere\nexport const fine = 1;\n";
  const built = buildWith("test/types/stale.types.ts", stale);
  expect(built).toMatchObject({ exitCode: 1, isBuilt: false });
  expect(built.said).toContain("stale.types.ts(1,1): error TS2578");
}, 60_000);
