import type { ModelEntry } from "../dialect.ts";
import type { JsonObject } from "../ir/json.ts";

const METHODS = ["generateContent", "streamGenerateContent", "countTokens"];

/** The list of models, as `GET /v1beta/models` gives it. */
export function writeModels(models: readonly ModelEntry[]): string {
  return JSON.stringify({ models: models.map(modelObject) });
}

/** One of them. */
export function writeModel(model: ModelEntry): string {
  return JSON.stringify(modelObject(model));
}

function modelObject({ id }: ModelEntry): JsonObject {
  const isWhole = id.startsWith("models/") || id.startsWith("tunedModels/");
  return {
    name: isWhole ? id : `models/${id}`,
    displayName: id,
    supportedGenerationMethods: METHODS,
  };
}
