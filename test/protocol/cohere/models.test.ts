import { expect, test } from "bun:test";
import { writeModel, writeModels } from "../../../src/protocol/cohere/models.ts";
import { listed } from "./sdk.ts";

const MODEL = { id: "command-a-03-2025", created: 1, owner: "cohere" };

test("the SDK reads the names of a list, and one of them", async () => {
  const { list, one } = await listed(
    writeModels([MODEL, { ...MODEL, id: "m" }]),
    writeModel(MODEL),
  );
  expect(list.models.map(({ name, endpoints }) => [name, endpoints])).toEqual([
    ["command-a-03-2025", ["chat"]],
    ["m", ["chat"]],
  ]);
  expect(one).toMatchObject({ name: "command-a-03-2025", isDeprecated: false });
});
