import { Glob } from "bun";
import { expect, test } from "bun:test";

// Each file holds one violation and, on its first line, the one diagnostic it must give.
const folder = `${import.meta.dir}/reject`;
const cases = [...new Glob("*.ts").scanSync(folder)].sort();
const command = [process.execPath, "check", "--no-script", "--no-pretty", "-p", folder];
const check = Bun.spawnSync(command);
const lines = check.stdout.toString().split("\n"); // The count and the notes go to stderr.
const diagnostics = lines.filter((line) => /: error TS\d+: /.test(line));

test("reject/ gives one diagnostic for each file and no other", () => {
  expect(check.exitCode).toBe(1);
  expect(diagnostics).toHaveLength(cases.length);
});

test.each(cases)("bun check rejects %s", async (name) => {
  const wanted = (await Bun.file(`${folder}/${name}`).text()).split("\n")[0]!.slice("// ".length);
  const given = diagnostics.filter((line) => line.includes(`${name}(`));
  expect(given.map((line) => line.replace(/^.*?: error /, ""))).toEqual([wanted]);
});
