import type { ModelEntry } from "../dialect.ts";

/** `GET /v1/models`. */
export function writeModels(models: readonly ModelEntry[]): string {
  return JSON.stringify({ object: "list", data: models.map(entryOf) });
}

/** `GET /v1/models/{model}`. */
export function writeModel(model: ModelEntry): string {
  return JSON.stringify(entryOf(model));
}

function entryOf({ id, created, owner }: ModelEntry): object {
  return { id, object: "model", created, owned_by: owner };
}
