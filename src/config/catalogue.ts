import type { AuthScheme } from "../core/backend.ts";
import type { DialectId } from "../core/ids.ts";

/** What is publicly known about a provider: one row of data, no code. */
export interface CatalogueRow {
  /** As it is written under `providers:`. */
  readonly name: string;
  readonly dialect: DialectId;
  /** Up to and with the version; undefined when every customer has their own. */
  readonly baseUrl: string | undefined;
  readonly auth: AuthScheme;
  /** Variables that may hold the key, the vendor's own name first. */
  readonly keyVariables: readonly string[];
  /** Variables that may hold the base URL when no file is given. */
  readonly urlVariables?: readonly string[];
  /** Path put behind a base URL that has none. */
  readonly mount?: string;
  /** Beginnings of model names that are this vendor's own; none where others' models are hosted. */
  readonly modelPrefixes: readonly string[];
  /** What completes a stream, where it is not the dialect's own end marker. */
  readonly terminal?: "finish";
  /** An engine of one's own: it needs no key. */
  readonly engine?: true;
}

/** A provider that speaks OpenAI's protocol with a bearer key: most of them. */
function openaiWire(
  name: string,
  baseUrl: string,
  rest: Pick<CatalogueRow, "keyVariables"> & Partial<CatalogueRow>,
): CatalogueRow {
  return { name, baseUrl, dialect: "openai", auth: "bearer", modelPrefixes: [], ...rest };
}

/** An inference engine on this machine, at the port it comes with. */
function engine(name: string, port: number): CatalogueRow {
  return openaiWire(name, `http://127.0.0.1:${port}/v1`, { keyVariables: [], engine: true });
}

/** Providers by the vendors' own API references, in the order in which a default is chosen. */
export const CATALOGUE: readonly CatalogueRow[] = [
  openaiWire("openai", "https://api.openai.com/v1", {
    keyVariables: ["OPENAI_API_KEY"],
    urlVariables: ["OPENAI_BASE_URL"],
    modelPrefixes: ["gpt-", "chatgpt-", "o1", "o3", "o4-", "text-embedding-"],
  }),
  {
    name: "anthropic",
    dialect: "anthropic",
    baseUrl: "https://api.anthropic.com",
    auth: "x-api-key",
    keyVariables: ["ANTHROPIC_API_KEY"],
    modelPrefixes: ["claude-"],
  },
  {
    name: "gemini",
    dialect: "gemini",
    baseUrl: "https://generativelanguage.googleapis.com",
    auth: "x-goog-api-key",
    keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    modelPrefixes: ["gemini-", "gemma-"],
  },
  {
    name: "cohere",
    dialect: "cohere",
    baseUrl: "https://api.cohere.com",
    auth: "bearer",
    keyVariables: ["CO_API_KEY", "COHERE_API_KEY"],
    modelPrefixes: ["command-", "c4ai-", "embed-"],
  },
  {
    name: "bedrock",
    dialect: "bedrock",
    baseUrl: undefined,
    auth: "bearer",
    keyVariables: ["AWS_BEARER_TOKEN_BEDROCK"],
    modelPrefixes: [],
  },
  // Its v1 surface takes OpenAI's own paths and needs no api-version: Microsoft Learn, "Azure
  // OpenAI API version lifecycle".
  openaiWire("azure_openai", "", {
    baseUrl: undefined,
    auth: "api-key",
    keyVariables: ["AZURE_OPENAI_API_KEY"],
    urlVariables: ["AZURE_OPENAI_ENDPOINT"],
    mount: "/openai/v1",
  }),
  openaiWire("mistral", "https://api.mistral.ai/v1", {
    keyVariables: ["MISTRAL_API_KEY"],
    modelPrefixes: [
      "mistral-",
      "ministral-",
      "magistral-",
      "codestral-",
      "devstral-",
      "pixtral-",
      "open-mistral-",
    ],
  }),
  openaiWire("groq", "https://api.groq.com/openai/v1", { keyVariables: ["GROQ_API_KEY"] }),
  openaiWire("deepseek", "https://api.deepseek.com/v1", {
    keyVariables: ["DEEPSEEK_API_KEY"],
    modelPrefixes: ["deepseek-"],
  }),
  openaiWire("xai", "https://api.x.ai/v1", {
    keyVariables: ["XAI_API_KEY"],
    modelPrefixes: ["grok-"],
  }),
  openaiWire("openrouter", "https://openrouter.ai/api/v1", {
    keyVariables: ["OPENROUTER_API_KEY"],
  }),
  openaiWire("together", "https://api.together.xyz/v1", { keyVariables: ["TOGETHER_API_KEY"] }),
  openaiWire("fireworks", "https://api.fireworks.ai/inference/v1", {
    keyVariables: ["FIREWORKS_API_KEY"],
    modelPrefixes: ["accounts/fireworks/"],
  }),
  openaiWire("cerebras", "https://api.cerebras.ai/v1", { keyVariables: ["CEREBRAS_API_KEY"] }),
  // Ends its streams without [DONE]; the stop reason of the last chunk completes them.
  openaiWire("perplexity", "https://api.perplexity.ai", {
    keyVariables: ["PERPLEXITY_API_KEY", "PPLX_API_KEY"],
    modelPrefixes: ["sonar"],
    terminal: "finish",
  }),
  openaiWire("deepinfra", "https://api.deepinfra.com/v1/openai", {
    keyVariables: ["DEEPINFRA_TOKEN", "DEEPINFRA_API_KEY"],
  }),
  openaiWire("moonshot", "https://api.moonshot.ai/v1", {
    keyVariables: ["MOONSHOT_API_KEY"],
    modelPrefixes: ["kimi-", "moonshot-"],
  }),
  openaiWire("nvidia-nim", "https://integrate.api.nvidia.com/v1", {
    keyVariables: ["NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"],
  }),
  openaiWire("sambanova", "https://api.sambanova.ai/v1", { keyVariables: ["SAMBANOVA_API_KEY"] }),
  openaiWire("hyperbolic", "https://api.hyperbolic.xyz/v1", {
    keyVariables: ["HYPERBOLIC_API_KEY"],
  }),
  openaiWire("novita", "https://api.novita.ai/openai/v1", { keyVariables: ["NOVITA_API_KEY"] }),
  openaiWire("zai", "https://api.z.ai/api/paas/v4", {
    keyVariables: ["ZAI_API_KEY"],
    modelPrefixes: ["glm-"],
  }),
  engine("ollama", 11434),
  engine("vllm", 8000),
  engine("llama.cpp", 8080),
  engine("lm-studio", 1234),
  engine("sglang", 30000),
];

const BY_NAME: ReadonlyMap<string, CatalogueRow> = new Map(CATALOGUE.map((row) => [row.name, row]));

/** The row of a known name. */
export function catalogueRow(name: string): CatalogueRow | undefined {
  return BY_NAME.get(name);
}

/** Every known name, for suggestions. */
export const CATALOGUE_NAMES: readonly string[] = CATALOGUE.map((row) => row.name);

/** How a dialect's own vendor wants its key, for providers that are not in the catalogue. */
export function usualAuth(dialect: DialectId): AuthScheme {
  switch (dialect) {
    case "anthropic":
      return "x-api-key";
    case "gemini":
      return "x-goog-api-key";
    case "openai":
    case "responses":
    case "cohere":
    case "bedrock":
      return "bearer";
  }
}
