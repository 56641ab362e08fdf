import type { IrRequest, Sampling } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";

/** "Between 0 and 1", says Cohere of both; the others take what OpenAI takes. */
const COHERE_PENALTY_MAX = 1;

/** The knobs of sampling: copied, clamped, never rescaled (protocols.md §3.1). */
export function fitSampling({ sampling }: IrRequest, fit: Fit): Sampling {
  const { capabilities, paths } = fit;
  const { topP, topK, logitBias } = sampling;
  if (topP !== undefined && !capabilities.topP) fit.lose("L-RANGE", paths.topP);
  if (topK !== undefined && !capabilities.topK) fit.lose("L-TOPK", paths.topK);
  if (logitBias !== undefined && !capabilities.logitBias) {
    fit.lose("L-LOGITBIAS", paths.logitBias);
  }
  return {
    temperature: fitTemperature(sampling.temperature, fit),
    topP: capabilities.topP ? topP : undefined,
    topK: capabilities.topK ? topK : undefined,
    frequencyPenalty: fitPenalty(sampling.frequencyPenalty, paths.frequencyPenalty, fit),
    presencePenalty: fitPenalty(sampling.presencePenalty, paths.presencePenalty, fit),
    logitBias: capabilities.logitBias ? logitBias : undefined,
  };
}

function fitTemperature(temperature: number | undefined, fit: Fit): number | undefined {
  const { temperatureMax } = fit.capabilities;
  if (temperature === undefined || (temperature <= temperatureMax && temperatureMax > 0)) {
    return temperature;
  }
  const action = temperatureMax > 0 ? "approximated" : "dropped";
  fit.lose("L-RANGE", fit.paths.temperature, { action });
  return temperatureMax > 0 ? temperatureMax : undefined;
}

function fitPenalty(penalty: number | undefined, path: string, fit: Fit): number | undefined {
  if (penalty === undefined) return undefined;
  if (!fit.capabilities.penalties) {
    fit.lose("L-PENALTY", path);
    return undefined;
  }
  if (fit.target !== "cohere") return penalty;
  const clamped = Math.min(COHERE_PENALTY_MAX, Math.max(0, penalty));
  if (clamped !== penalty) fit.lose("L-RANGE", path, { action: "approximated" });
  return clamped;
}
