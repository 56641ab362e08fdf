import { expect, test } from "bun:test";
import { writeModel, writeModels } from "../../../src/protocol/anthropic/models.ts";
import { CLIENTS } from "./clients.ts";

const MODELS = ["a", "b/c:d"].map((id) => ({ id, created: 1_700_000_000, owner: "o" }));

for (const client of CLIENTS) {
  test(`${client.name} lists the models in order, and asks for no second page`, async () => {
    const listed = await client.list(writeModels(MODELS));
    expect(listed).toEqual(MODELS.map((model) => JSON.parse(writeModel(model))));
  });
}
test("an empty list is a page of its own", () => {
  expect(JSON.parse(writeModels([]))).toEqual({
    data: [],
    has_more: false,
    first_id: null,
    last_id: null,
  });
});
test("a model has a date as RFC 3339 has it", () => {
  expect(JSON.parse(writeModel(MODELS[0]!))).toEqual({
    type: "model",
    id: "a",
    display_name: "a",
    created_at: "2023-11-14T22:13:20Z",
  });
});
