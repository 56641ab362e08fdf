import type { ModelEntry } from "../dialect.ts";

/** As ListFoundationModels answers: Bedrock's API reference. */
export function writeModels(models: readonly ModelEntry[]): string {
  return JSON.stringify({ modelSummaries: models.map(summaryOf) });
}

/** As GetFoundationModel answers. */
export function writeModel(model: ModelEntry): string {
  return JSON.stringify({ modelDetails: summaryOf(model) });
}

/** What we do not know of a model is left out; its ARN names no region and no account. */
function summaryOf({ id, owner }: ModelEntry): object {
  return {
    modelArn: `arn:aws:bedrock:::foundation-model/${id}`,
    modelId: id,
    modelName: id,
    providerName: owner,
    responseStreamingSupported: true,
    modelLifecycle: { status: "ACTIVE" },
  };
}
