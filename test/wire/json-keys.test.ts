import { expect, test } from "bun:test";
import { wantedMembers } from "../../src/wire/json-keys.ts";

test("a path that stands before its object's is a bug", () => {
  expect(() => wantedMembers(["a.b", "a"])).toThrow("a.b stands before");
  expect(wantedMembers(["a", "a.b", "c"]).level.map(({ name }) => name)).toEqual(["a", "c"]);
});
