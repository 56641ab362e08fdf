import type { ModelEntry } from "../dialect.ts";

/** The list as OpenAI answers `GET /v1/models`. */
export function writeModels(models: readonly ModelEntry[]): string {
  return JSON.stringify({ object: "list", data: models.map(entry) });
}

/** One of them, as OpenAI answers `GET /v1/models/{id}`. */
export function writeModel(model: ModelEntry): string {
  return JSON.stringify(entry(model));
}

function entry({ id, created, owner }: ModelEntry): object {
  return { id, object: "model", created, owned_by: owner };
}
