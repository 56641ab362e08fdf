import { expect, test } from "bun:test";
import { writeModel, writeModels } from "../../../src/protocol/bedrock/models.ts";

const model = { id: "claude", created: 5, owner: "anthropic" };
const summary = {
  modelArn: "arn:aws:bedrock:::foundation-model/claude",
  modelId: "claude",
  modelName: "claude",
  providerName: "anthropic",
  responseStreamingSupported: true,
  modelLifecycle: { status: "ACTIVE" },
};

test("a list is that of ListFoundationModels", () => {
  expect(JSON.parse(writeModels([model]))).toEqual({ modelSummaries: [summary] });
  expect(JSON.parse(writeModels([]))).toEqual({ modelSummaries: [] });
});

test("a model is that of GetFoundationModel", () => {
  expect(JSON.parse(writeModel(model))).toEqual({ modelDetails: summary });
});
