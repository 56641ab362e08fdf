import type { ModelEntry } from "../dialect.ts";

/** The list as `GET /v1/models` gives it. */
export function writeModels(models: readonly ModelEntry[]): string {
  return JSON.stringify({ models: models.map(modelObject) });
}

/** One model as `GET /v1/models/{model}` gives it. */
export function writeModel(model: ModelEntry): string {
  return JSON.stringify(modelObject(model));
}

/** Without the length of its context, which we do not know. */
function modelObject({ id }: ModelEntry): object {
  return { name: id, is_deprecated: false, endpoints: ["chat"], finetuned: false, features: null };
}
