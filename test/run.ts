// Runs the suites and says how many tests passed and failed, on one line of its own: the test
// runner's own summary comes in another form. See README.md beside this file.
import { tmpdir } from "node:os";

const [mode, ...rest] = process.argv.slice(2);
const binary = mode === "--binary";
const full = mode === "--full";
const filters = binary || full ? rest : process.argv.slice(2);
const report = `${tmpdir()}/interlock-junit-${process.pid}.xml`;

const suites = binary
  ? ["./test/binary/"]
  : [...new Bun.Glob("**/*.test.ts").scanSync("test")]
      .filter((path) => full || !path.startsWith("binary/"))
      .sort()
      .map((path) => `./test/${path}`);
const tests = Bun.spawn(
  [
    process.execPath,
    "test",
    "--timeout=60000",
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    ...(filters.length > 0 ? filters : suites),
  ],
  {
    stdio: ["inherit", "inherit", "inherit"],
    env: { ...process.env, ...(full && { INTERLOCK_FULL: "1" }) },
  },
);
const code = await tests.exited;

const file = Bun.file(report);
let passed = 0;
let failed = 0;
if (await file.exists()) {
  const totals = /<testsuites[^>]*\btests="(\d+)"[^>]*\bfailures="(\d+)"[^>]*\bskipped="(\d+)"/;
  const found = totals.exec(await file.text());
  failed = Number(found?.[2] ?? 0);
  passed = Number(found?.[1] ?? 0) - failed - Number(found?.[3] ?? 0);
  await file.delete();
}
if (code !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(code);
