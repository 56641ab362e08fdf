import type { Capabilities } from "../../core/capabilities.ts";
import type { Effort } from "../../core/effort.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";
import type { IrRequest, Message, OutputFormat, ReasoningAsk } from "../ir/request.ts";
import { inside } from "./media.ts";

export interface ConfigWriting {
  readonly capabilities: Capabilities;
  readonly report: Report;
}

type Members = { readonly [name: string]: Json | undefined };

/** The `generationConfig`; undefined when it would be empty and the caller sent none. */
export function writeConfig(
  request: IrRequest,
  { capabilities, report }: ConfigWriting,
): JsonObject | undefined {
  const own = request.origin === "gemini";
  const { sampling, reasoning, output, logprobs } = request;
  const kept = inside(request.ext?.gemini, "generationConfig");
  const config = compact(
    {
      temperature: sampling.temperature,
      topP: sampling.topP,
      topK: sampling.topK,
      candidateCount: request.candidates,
      maxOutputTokens: request.maxOutputTokens,
      stopSequences: request.stop,
      presencePenalty: sampling.presencePenalty,
      frequencyPenalty: sampling.frequencyPenalty,
      seed: request.seed,
      responseLogprobs: logprobs?.enabled,
      logprobs: logprobs?.top,
      ...(output && writeOutput(output)),
      responseModalities: request.modalities?.map((word) => word.toUpperCase()),
      thinkingConfig: reasoning && writeReasoning(reasoning, { capabilities, own }),
      mediaResolution: own ? undefined : resolutionOf(request, report),
    },
    kept,
  );
  return kept === undefined && Object.keys(config).length === 0 ? undefined : config;
}

function writeOutput(output: OutputFormat): Members {
  switch (output.kind) {
    case "text":
      return { responseMimeType: "text/plain" };
    case "json":
      return { responseMimeType: "application/json" };
    case "schema": {
      const slot = output.schemaDialect === "openapi" ? "responseSchema" : "responseJsonSchema";
      return { responseMimeType: "application/json", [slot]: output.schema };
    }
  }
}

const LEVELS: Readonly<Record<Effort, string>> = {
  none: "MINIMAL",
  minimal: "MINIMAL",
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH",
  xhigh: "HIGH",
  max: "HIGH",
};

function writeReasoning(ask: ReasoningAsk, { capabilities, own }: Thinking): JsonObject {
  const { show, ext } = ask;
  const includeThoughts = show === undefined ? undefined : show !== "omit";
  const amount = own ? bothAmounts(ask) : amountOf(ask, capabilities);
  return compact({ ...amount, includeThoughts }, ext?.gemini);
}

interface Thinking {
  readonly capabilities: Capabilities;
  /** It came in this protocol. */
  readonly own: boolean;
}

function bothAmounts({ effort, budgetTokens }: ReasoningAsk): Members {
  return { thinkingBudget: budgetTokens, thinkingLevel: effort && LEVELS[effort] };
}

/** A budget or a level, never both: the server refuses that. */
function amountOf(ask: ReasoningAsk, { reasoning }: Capabilities): Members {
  const { effort, budgetTokens, mode } = ask;
  if (mode === "off") return { thinkingBudget: 0 };
  const hasLevels = reasoning === "effort" || reasoning === "either";
  if (budgetTokens === undefined || (hasLevels && effort !== undefined)) {
    return { thinkingLevel: effort && LEVELS[effort] };
  }
  return { thinkingBudget: budgetTokens };
}

const RESOLUTIONS: ReadonlyMap<string, string> = new Map([
  ["low", "MEDIA_RESOLUTION_LOW"],
  ["high", "MEDIA_RESOLUTION_HIGH"],
]);

/** Images have one resolution for all of a request: written when all that name one agree. */
function resolutionOf({ messages }: IrRequest, report: Report): string | undefined {
  const asked = messages.flatMap(detailsIn);
  const words = new Set(asked.map(({ detail }) => detail));
  const [word] = words;
  const resolution = word === undefined || words.size > 1 ? undefined : RESOLUTIONS.get(word);
  const action = resolution === undefined ? "dropped" : "approximated";
  for (const { path, detail } of asked) report({ code: "L-DETAIL", path, action, detail });
  return resolution;
}

interface AskedDetail {
  readonly path: string;
  readonly detail: string;
}

/** `auto` is what happens anyway. */
function detailsIn({ blocks }: Message, index: number): AskedDetail[] {
  return blocks.flatMap((block, place) => {
    if (block.type !== "media" || block.detail === undefined || block.detail === "auto") return [];
    const path = block.at ?? `messages[${index}].blocks[${place}]`;
    return [{ path, detail: block.detail }];
  });
}
