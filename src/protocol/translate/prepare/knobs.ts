import type { IrRequest } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { fitTier } from "./tiers.ts";

type Knobs = Pick<
  IrRequest,
  | "seed"
  | "candidates"
  | "logprobs"
  | "endUser"
  | "metadata"
  | "tier"
  | "verbosity"
  | "cacheKey"
  | "modalities"
>;

/** What stands beside the messages and the tools: protocols.md §3.1. */
export function fitKnobs(request: IrRequest, fit: Fit): Knobs {
  const { capabilities: can, paths } = fit;
  const { seed, candidates, endUser, metadata, verbosity, cacheKey } = request;
  if (seed !== undefined && !can.seed) fit.lose("L-SEED", paths.seed);
  if (candidates !== undefined && candidates > 1 && !can.candidates) {
    fit.lose("L-N", paths.candidates, { detail: String(candidates) });
  }
  if (endUser !== undefined && !can.endUser) fit.lose("L-USER", paths.endUser);
  if (metadata !== undefined && !can.metadata) fit.lose("L-METADATA", paths.metadata);
  if (verbosity !== undefined && !can.verbosity) fit.lose("L-UNKNOWN-FIELD", paths.verbosity);
  if (cacheKey !== undefined && !can.cacheKey) fit.lose("L-CACHEKEY", paths.cacheKey);
  return {
    seed: can.seed ? seed : undefined,
    candidates: can.candidates ? candidates : undefined,
    logprobs: fitLogprobs(request, fit),
    endUser: can.endUser ? endUser : undefined,
    metadata: can.metadata ? metadata : undefined,
    tier: fitTier(request.tier, fit),
    verbosity: can.verbosity ? verbosity : undefined,
    cacheKey: can.cacheKey ? cacheKey : undefined,
    modalities: fitModalities(request, fit),
  };
}

function fitLogprobs({ logprobs }: IrRequest, fit: Fit): IrRequest["logprobs"] {
  if (logprobs === undefined) return undefined;
  if (!fit.capabilities.logprobs) {
    if (!logprobs.enabled) return undefined;
    fit.lose("L-LOGPROBS", fit.paths.logprobs);
    if (logprobs.top !== undefined) fit.lose("L-LOGPROBS", fit.paths.topLogprobs);
    return undefined;
  }
  if (fit.target !== "cohere" || logprobs.top === undefined) return logprobs;
  fit.lose("L-LOGPROBS", fit.paths.topLogprobs); // Cohere's is a switch.
  return { enabled: logprobs.enabled };
}

/** Text is what every wire gives unasked; a request for anything else alone cannot be met. */
function fitModalities({ modalities }: IrRequest, fit: Fit): readonly string[] | undefined {
  if (modalities === undefined) return undefined;
  const kept = modalities.filter((modality) => isGiven(modality, fit));
  if (kept.length < modalities.length) {
    fit.lose("L-MODALITY", fit.paths.modalities);
    if (kept.length === 0) fit.refuse(fit.paths.modalities, "it answers in text only.");
  }
  return kept.every((modality) => modality.toLowerCase() === "text") ? undefined : kept;
}

function isGiven(modality: string, { capabilities }: Fit): boolean {
  const word = modality.toLowerCase();
  return word === "text" || (word === "audio" && capabilities.audioOut);
}
