import { describe, expect, test } from "bun:test";
import { GoogleGenAI } from "@google/genai";
import type { CallHead } from "../../../src/core/request.ts";
import { gemini } from "../../../src/protocol/gemini/dialect.ts";
import { answerOf, sdkOn } from "./harness.ts";

const HEAD: CallHead = {
  operation: "chat",
  tail: "/models/m:generateContent",
  query: "",
  model: "m",
  stream: false,
};
const pathOf = (head: Partial<CallHead>, model = "m", stream = false) =>
  gemini.upstreamPath({ head: { ...HEAD, ...head }, model, stream });

describe("the upstream's path", () => {
  test("of a chat has the backend's name for the model, and the caller's query", () => {
    expect(pathOf({})).toBe("/models/m:generateContent");
    const streamed = { tail: "/models/m:streamGenerateContent", query: "alt=sse" };
    expect(pathOf(streamed, "n", true)).toBe("/models/n:streamGenerateContent?alt=sse");
    const inArray = { tail: "/models/m:streamGenerateContent" };
    expect(pathOf(inArray, "m", true)).toBe("/models/m:streamGenerateContent");
  });
  test("of a translated chat asks for events", () => {
    const head = { tail: "", model: undefined, stream: undefined };
    expect(pathOf(head, "n")).toBe("/models/n:generateContent");
    expect(pathOf(head, "n", true)).toBe("/models/n:streamGenerateContent?alt=sse");
  });
  test("of any other call has its method", () => {
    const counting = { operation: "count_tokens", tail: "/models/m:countTokens" } as const;
    expect(pathOf(counting, "n")).toBe("/models/n:countTokens");
    const embedding = { operation: "embeddings", tail: "/models/m:batchEmbedContents" } as const;
    expect(pathOf(embedding)).toBe("/models/m:batchEmbedContents");
    expect(pathOf({ operation: "native", tail: "/files", model: undefined })).toBe("/files");
  });
  test("below Vertex's publisher has only what stands behind it", () => {
    const tail = "/projects/p/locations/l/publishers/google/models/m:countTokens";
    expect(pathOf({ operation: "count_tokens", tail })).toBe("/models/m:countTokens");
  });
  test("keeps a tuned model where it stands, whoever named it", () => {
    const tail = "/tunedModels/m:generateContent";
    expect(pathOf({ tail })).toBe("/tunedModels/m:generateContent");
    expect(pathOf({ tail }, "gemini-x")).toBe("/models/gemini-x:generateContent");
    expect(pathOf({}, "tunedModels/t")).toBe("/tunedModels/t:generateContent");
    expect(pathOf({}, "publishers/meta/models/l")).toBe(
      "/publishers/meta/models/l:generateContent",
    );
  });
  test("is not led elsewhere by a name", () => {
    expect(pathOf({}, "a b?c#d%2f")).toBe("/models/a%20b%3Fc%23d%252f:generateContent");
    expect(pathOf({}, "gemini@001")).toBe("/models/gemini@001:generateContent");
    for (const model of ["models/../../x", "models//x", "models/./x", "tunedModels/.."]) {
      const { pathname } = new URL(`http://h/v1${pathOf({}, model)}`);
      expect(pathname).toStartWith("/v1/models%2F".replace("models", model.split("/")[0]!));
    }
    expect(pathOf({}, "\ud800")).toBe("/models/%EF%BF%BD:generateContent");
  });
  test("is what the official SDK asks for by the same names", async () => {
    const seen: string[] = [];
    const fetch = (async (url: string) => {
      seen.push(new URL(url).pathname);
      return answerOf("{}");
    }) as unknown as typeof globalThis.fetch;
    const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: "http://h", fetch } });
    const names = ["gemini-2.5-flash", "models/x", "tunedModels/a-b", "gemini@001"];
    for (const model of names) await client.models.generateContent({ model, contents: "hi" });
    expect(seen).toEqual(names.map((name) => `/v1${pathOf({}, name)}`));
  });
});

test("the list of models is one that the SDK reads", async () => {
  const entries = ["gemini-x", "tunedModels/t"].map((id) => ({ id, created: 1, owner: "o" }));
  const client = sdkOn(() => answerOf(gemini.writeModels(entries)));
  const names: (string | undefined)[] = [];
  for await (const { name, supportedActions } of await client.models.list()) {
    names.push(name);
    expect(supportedActions).toContain("generateContent");
  }
  expect(names).toEqual(["models/gemini-x", "tunedModels/t"]);
  const one = sdkOn(() => answerOf(gemini.writeModel(entries[0]!)));
  expect((await one.models.get({ model: "gemini-x" })).name).toBe("models/gemini-x");
});
