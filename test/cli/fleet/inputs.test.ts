import { expect, test } from "bun:test";
import { digestOf, recording, replaying } from "../../../src/cli/fleet/inputs.ts";

const sources = {
  readFile: async (path: string) => `text of ${path}`,
  probe: async (url: string) => (url.endsWith("1") ? { status: 200, body: "yes" } : undefined),
  hasStoredKeys: () => true,
};

test("what was recorded is given again, over any wire", async () => {
  const recorded = recording(sources);
  await Promise.all([recorded.readFile("/b"), recorded.readFile("/a")]);
  await Promise.all([recorded.probe("http://x/1"), recorded.probe("http://x/2")]);
  const again = replaying(JSON.parse(JSON.stringify(recorded.inputs())));
  expect(await again.readFile("/a")).toBe("text of /a");
  expect(await again.probe("http://x/1")).toEqual({ status: 200, body: "yes" });
  expect(await again.probe("http://x/2")).toBeUndefined();
  expect(recorded.inputs().storedKeys).toBe(false); // Nobody asked.
  expect(recorded.hasStoredKeys()).toBe(true);
  expect(replaying(recorded.inputs()).hasStoredKeys()).toBe(true);
  expect(again.readFile("/etc/passwd")).rejects.toThrow("was not read");
});

test("the same inputs have one digest in whatever order they were read", async () => {
  const [one, other] = [recording(sources), recording(sources)];
  await one.readFile("/a").then(() => one.readFile("/b"));
  await other.readFile("/b").then(() => other.readFile("/a"));
  expect(digestOf(one.inputs())).toBe(digestOf(other.inputs()));
  await other.readFile("/c");
  expect(digestOf(one.inputs())).not.toBe(digestOf(other.inputs()));
});
