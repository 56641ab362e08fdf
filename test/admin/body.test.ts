import { expect, test } from "bun:test";
import { z } from "zod";
import { readBody } from "../../src/admin/body.ts";

const SCHEMA = z.strictObject({
  name: z.string(),
  count: z.number({ error: "count it" }).optional(),
  why: z.enum(["spend", "fraud"]).optional(),
});

test.each([
  ["{}", "name: give a value of type string."],
  ['{"name": 5}', "name: give a value of type string."],
  ["[]", "body: give a value of type object."],
  ['{"name": "a", "nam": 1}', "nam: there is no such member."],
  ['{"name": "a", "count": "x"}', "count: count it."],
  ['{"name": "a", "why": "x"}', "why: give one of spend, fraud."],
])("what is wrong with %s is said in plain words", (body, said) => {
  const headers = { "content-type": "application/json" };
  const request = new Request("http://127.0.0.1/", { method: "POST", headers, body });
  expect(readBody(request, SCHEMA)).rejects.toThrow(said);
});
