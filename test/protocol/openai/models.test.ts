import { expect, test } from "bun:test";
import OpenAI from "openai";
import { writeModel, writeModels } from "../../../src/protocol/openai/models.ts";

const MODELS = [
  { id: "fast", created: 1_760_000_000, owner: "interlock" },
  { id: 'a "quoted" name', created: 0, owner: "interlock" },
];

test("the official SDK lists the models, and finds one of them", async () => {
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const isList = new URL(request.url).pathname === "/models";
      const body = isList ? writeModels(MODELS) : writeModel(MODELS[0]!);
      return new Response(body, { headers: { "content-type": "application/json" } });
    },
  });
  const client = new OpenAI({ apiKey: "k", baseURL: server.url.href.replace(/\/$/, "") });
  const listed = await client.models.list();
  const expected = MODELS.map(({ id, created }) => {
    return { id, object: "model", created, owned_by: "interlock" };
  });
  expect(listed.data).toMatchObject(expected);
  expect(await client.models.retrieve("fast")).toMatchObject(expected[0]!);
});
