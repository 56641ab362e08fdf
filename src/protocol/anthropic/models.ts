import type { ModelEntry } from "../dialect.ts";

/** The list of models as `GET /v1/models` answers: one page. */
export function writeModels(models: readonly ModelEntry[]): string {
  return JSON.stringify({
    data: models.map(modelInfo),
    has_more: false,
    first_id: models.at(0)?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  });
}

/** One model as `GET /v1/models/{id}` answers. */
export function writeModel(model: ModelEntry): string {
  return JSON.stringify(modelInfo(model));
}

function modelInfo({ id, created }: ModelEntry): object {
  return {
    type: "model",
    id,
    display_name: id,
    created_at: new Date(created * 1000).toISOString().replace(".000Z", "Z"),
  };
}
