import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HELP } from "../../src/cli/commands.ts";

const MAIN = `${import.meta.dir}/../../src/main.ts`;
const PLACE = `${import.meta.dir}/../../src/cli/place.ts`;

/** The program in a directory of its own, with nothing of our environment; killed when it stays. */
async function run(argv: readonly string[], config = "") {
  const home = mkdtempSync(join(tmpdir(), "interlock-commands-"));
  writeFileSync(join(home, "interlock.yaml"), config);
  const child = Bun.spawn([process.execPath, MAIN, ...argv], {
    cwd: home,
    env: { HOME: home, PATH: "/usr/bin:/bin" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  rmSync(home, { recursive: true, force: true });
  return { code, out, err };
}

const LISTED = /^ {2}([a-z][a-z-]*(?:, [a-z-]+)*(?: (?:show|generate|validate))?)(?: |$)/gm;
const COMMANDS = [...HELP.slice(0, HELP.indexOf("Options of")).matchAll(LISTED)].flatMap(
  ([, names = ""]) => names.split(", "),
);

test("every command that is listed tells of itself when it is asked for help", async () => {
  expect(COMMANDS).toContain("config show");
  expect(COMMANDS).toContain("latency");
  for (const name of COMMANDS) {
    const { code, out, err } = await run([...name.split(" "), "--help"]);
    expect([name, code, err]).toEqual([name, 0, ""]);
    const word = name.split(" ").at(name === "config validate" ? 1 : 0);
    expect(out).toMatch(new RegExp(`^(?:Usage: )?interlock ${word}\\b`));
  }
}, 120_000);

test("a wrong option is named, and nothing else is said of it", async () => {
  for (const name of ["validate", "prove-privacy", "audit list", "migrate status", "key list"]) {
    const { code, err } = await run([...name.split(" "), "--bogus"]);
    const [first] = err.split("\n");
    expect([name, code, first]).toEqual([name, 2, "interlock: Unknown option '--bogus'"]);
  }
}, 60_000);

test("a start that finds its metrics port taken says so and ends", async () => {
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const text = `server: { metrics_port: ${taken.port} }\nproviders: { ollama: }\n`;
  const { code, err } = await run(["start", "-p", "0", "-c", "interlock.yaml"], text);
  taken.stop(true);
  expect([code, err]).toEqual([1, expect.stringContaining(`127.0.0.1:${taken.port} (EADDRINUSE)`)]);
}, 30_000);

test("the audit log names whoever has no name by a number", async () => {
  const code = `process.stdout.write((await import(${JSON.stringify(PLACE)})).whoami())`;
  const child = Bun.spawn([process.execPath, "-e", code], { env: {}, stdout: "pipe" });
  expect(await new Response(child.stdout).text()).toStartWith(`cli:uid-${process.getuid?.()}@`);
}, 30_000);
