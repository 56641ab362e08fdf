import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mapSlab } from "../../src/cli/shared-slab.ts";
import { systemRandom } from "../../src/runtime/random.ts";

test("a state directory that cannot be had is named with the reason and the fix", () => {
  const home = mkdtempSync(join(tmpdir(), "interlock-slab-"));
  const directory = join(home, "file");
  writeFileSync(directory, "");
  const opened = mapSlab({ directory, port: 1 }, systemRandom);
  rmSync(home, { recursive: true });
  const problem = `${join(directory, "limits")} cannot be made (ENOTDIR): set INTERLOCK_STATE_DIR`;
  expect(opened).toEqual({ problem: expect.stringContaining(problem) });
});
