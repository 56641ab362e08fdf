import { expect, test } from "bun:test";
import { fetchCapAtStart, fetchCapProblem } from "../../../src/cli/fleet/fetch-cap.ts";

test.each(["257", "1000", "60000", "65535"])("%s lifts the cap", (value) => {
  expect(fetchCapProblem(value)).toBeUndefined();
});

test.each(["", "0", "100", "256", "65536", "70000", "abc", " 300", "3e4", "-1", undefined])(
  "%p does not",
  (value) => {
    expect(fetchCapProblem(value)).toContain("BUN_CONFIG_MAX_HTTP_REQUESTS");
  },
);

/** Asks as many loopback requests as the runtime may not run at once with its own cap. */
const PROGRAM = `
  let open = 0;
  const socket = { data() { open++; }, open() {}, close() {}, error() {} };
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
  for (let at = 0; at < 300; at++) fetch("http://127.0.0.1:" + server.port).catch(() => {});
  const deadline = performance.now() + 1500;
  while (open < 300 && performance.now() < deadline) await Bun.sleep(5);
  console.log(open);
  process.exit(0);
`;

test.each([
  ["1000", true],
  ["65535", true],
  ["65536", false],
  [" 300", false],
  ["abc", false],
  ["256", false],
])("the runtime agrees on %p", async (value, isLifted) => {
  const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: value };
  const child = Bun.spawn([process.execPath, "-e", PROGRAM], { env, stderr: "ignore" });
  const open = Number(await new Response(child.stdout).text());
  expect(open === 300).toBe(isLifted);
  expect(fetchCapProblem(value) === undefined).toBe(isLifted);
});

test("what counts is the environment at the start", () => {
  process.env["BUN_CONFIG_MAX_HTTP_REQUESTS"] ??= "1000"; // Set too late, as far as the runtime goes.
  const started = fetchCapAtStart(process.env);
  if (process.platform === "linux") expect(started).not.toBe("1000");
});
