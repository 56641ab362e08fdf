import { expect, test } from "bun:test";
import { resolve } from "../src/config/resolve.ts";

const README = await Bun.file(`${import.meta.dir}/../README.md`).text();
const BLOCKS = [...README.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);

/** Every variable a text names has a value of the kind that is wanted there. */
function variablesOf(text: string): Record<string, string> {
  const names = [...text.matchAll(/\$\{([A-Z_]+)\}|_env: ([A-Z_]+)/g)].map(
    ([, one, other]) => one ?? other ?? "",
  );
  return Object.fromEntries(names.map((name) => [name, valueOf(name)]));
}

function valueOf(name: string): string {
  if (name.endsWith("DATABASE_URL")) return "postgres://u:p@db.lan/interlock";
  return name.endsWith("_URL") ? "https://hooks.example.com/x" : `${name}-0123456789abcdef`;
}

test("the README shows configurations", () => expect(BLOCKS.length).toBeGreaterThan(2));

test.each(BLOCKS)("a configuration of the README loads as it stands: %s", (text) => {
  const loaded = resolve(text, { path: "README.md", env: variablesOf(text) });
  expect(loaded.ok ? [] : loaded.errors).toEqual([]);
});
