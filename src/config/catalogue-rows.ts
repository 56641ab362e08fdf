import { type CatalogueRow, COMPATIBLE } from "./catalogue-row.ts";

const BEDROCK_URL = "https://bedrock-runtime.{region}.amazonaws.com";
/** Regions with Bedrock's runtime that most accounts have: AWS, "Amazon Bedrock endpoints". */
const BEDROCK_REGIONS = [
  ...["us-east-1", "us-east-2", "us-west-2", "ca-central-1", "sa-east-1"],
  ...["eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"],
  ...["ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2"],
] as const;

/** A provider that speaks OpenAI's protocol with a bearer key: most of them. */
function openaiWire(
  name: string,
  baseUrl: string,
  rest: Pick<CatalogueRow, "keyVariables"> & Partial<CatalogueRow>,
): CatalogueRow {
  return {
    ...{ name, baseUrl, dialect: "openai", auth: "bearer", modelPrefixes: [] },
    capabilities: COMPATIBLE,
    ...rest,
  };
}

/** An inference engine on this machine, at the port it comes with. */
function engine(name: string, port: number, rest: Partial<CatalogueRow> = {}): CatalogueRow {
  return openaiWire(name, `http://127.0.0.1:${port}/v1`, {
    ...{ keyVariables: [], engine: true, capabilities: { ...COMPATIBLE, topK: true } },
    ...rest,
  });
}

/** Providers by the vendors' own API references, in the order in which a default is chosen. */
export const CATALOGUE: readonly CatalogueRow[] = [
  openaiWire("openai", "https://api.openai.com/v1", {
    keyVariables: ["OPENAI_API_KEY"],
    urlVariables: ["OPENAI_BASE_URL"],
    modelPrefixes: ["gpt-", "chatgpt-", "o1", "o3", "o4-", "text-embedding-"],
    also: ["responses"],
    capabilities: { webSearch: ["responses"] },
  }),
  {
    name: "anthropic",
    dialect: "anthropic",
    baseUrl: "https://api.anthropic.com",
    auth: "x-api-key",
    keyVariables: ["ANTHROPIC_API_KEY"],
    modelPrefixes: ["claude-"],
    capabilities: { webSearch: ["anthropic"] },
  },
  {
    name: "gemini",
    dialect: "gemini",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    mount: "/v1beta",
    auth: "x-goog-api-key",
    keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    modelPrefixes: ["gemini-", "gemma-"],
    capabilities: { webSearch: ["gemini"] },
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
    regionUrl: BEDROCK_URL,
    regionVariables: ["AWS_REGION", "AWS_DEFAULT_REGION"],
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
    also: ["responses"],
    capabilities: {},
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
    capabilities: { ...COMPATIBLE, seed: false, logprobs: false, toolIdPattern: "[a-zA-Z0-9]{9}" },
  }),
  openaiWire("groq", "https://api.groq.com/openai/v1", {
    keyVariables: ["GROQ_API_KEY"],
    also: ["responses"],
  }),
  openaiWire("deepseek", "https://api.deepseek.com/v1", {
    keyVariables: ["DEEPSEEK_API_KEY"],
    modelPrefixes: ["deepseek-"],
  }),
  openaiWire("xai", "https://api.x.ai/v1", {
    keyVariables: ["XAI_API_KEY"],
    modelPrefixes: ["grok-"],
    also: ["responses"],
  }),
  openaiWire("openrouter", "https://openrouter.ai/api/v1", {
    keyVariables: ["OPENROUTER_API_KEY"],
    also: ["responses"],
    capabilities: { ...COMPATIBLE, topK: true },
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
  ...moreVendors(),
  ...otherSurfaces(),
  ...BEDROCK_REGIONS.map(bedrockIn),
  engine("ollama", 11434, { also: ["responses"] }),
  engine("vllm", 8000, { also: ["responses"] }),
  engine("llama.cpp", 8080),
  engine("lm-studio", 1234, { also: ["responses"] }),
  engine("sglang", 30000),
];

/** Vendors and hosts of others' models with OpenAI's wire and nothing peculiar known. */
function moreVendors(): readonly CatalogueRow[] {
  const rows: readonly (readonly [string, string, string, ...string[]])[] = [
    ["meta-llama", "https://api.llama.com/compat/v1", "LLAMA_API_KEY", "Llama-"],
    [
      "alibaba",
      "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
      "DASHSCOPE_API_KEY",
      "qwen-",
      "qwq-",
    ],
    ["minimax", "https://api.minimax.io/v1", "MINIMAX_API_KEY", "MiniMax-"],
    ["ai21", "https://api.ai21.com/studio/v1", "AI21_API_KEY", "jamba-"],
    ["upstage", "https://api.upstage.ai/v1", "UPSTAGE_API_KEY", "solar-"],
    ["inception", "https://api.inceptionlabs.ai/v1", "INCEPTION_API_KEY", "mercury"],
    ["nebius", "https://api.studio.nebius.com/v1", "NEBIUS_API_KEY"],
    ["lambda", "https://api.lambda.ai/v1", "LAMBDA_API_KEY"],
    ["scaleway", "https://api.scaleway.ai/v1", "SCALEWAY_API_KEY"],
    [
      "ovhcloud",
      "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
      "OVH_AI_ENDPOINTS_ACCESS_TOKEN",
    ],
    ["baseten", "https://inference.baseten.co/v1", "BASETEN_API_KEY"],
    ["featherless", "https://api.featherless.ai/v1", "FEATHERLESS_API_KEY"],
    ["friendli", "https://api.friendli.ai/serverless/v1", "FRIENDLI_TOKEN"],
    ["parasail", "https://api.parasail.io/v1", "PARASAIL_API_KEY"],
    ["siliconflow", "https://api.siliconflow.com/v1", "SILICONFLOW_API_KEY"],
    ["stepfun", "https://api.stepfun.com/v1", "STEPFUN_API_KEY", "step-"],
    ["volcengine", "https://ark.cn-beijing.volces.com/api/v3", "ARK_API_KEY", "doubao-"],
    ["qianfan", "https://qianfan.baidubce.com/v2", "QIANFAN_API_KEY", "ernie-"],
    ["vercel", "https://ai-gateway.vercel.sh/v1", "AI_GATEWAY_API_KEY"],
  ];
  return rows.map(([name, baseUrl, key, ...modelPrefixes]) =>
    openaiWire(name, baseUrl, { keyVariables: [key], modelPrefixes }),
  );
}

/** Second surfaces of vendors above, and hosts whose key or address is not theirs alone. */
function otherSurfaces(): readonly CatalogueRow[] {
  const quiet = { quiet: true, modelPrefixes: [] } as const;
  const messages = (name: string, baseUrl: string, key: string): CatalogueRow => ({
    ...{ name, baseUrl, dialect: "anthropic", auth: "x-api-key", keyVariables: [key], ...quiet },
    capabilities: { family: "other" },
  });
  return [
    messages("deepseek-anthropic", "https://api.deepseek.com/anthropic", "DEEPSEEK_API_KEY"),
    messages("moonshot-anthropic", "https://api.moonshot.ai/anthropic", "MOONSHOT_API_KEY"),
    messages("minimax-anthropic", "https://api.minimax.io/anthropic", "MINIMAX_API_KEY"),
    messages("z.ai", "https://api.z.ai/api/anthropic", "ZAI_API_KEY"),
    {
      ...{ name: "openai-responses", dialect: "responses", auth: "bearer", ...quiet },
      baseUrl: "https://api.openai.com/v1",
      also: ["openai"],
      keyVariables: ["OPENAI_API_KEY"],
      capabilities: { webSearch: ["responses"] },
    },
    // Vertex AI takes an OAuth token; the project and the region stand in the base URL.
    {
      ...{ name: "vertex", dialect: "gemini", auth: "bearer", baseUrl: undefined, ...quiet },
      keyVariables: ["VERTEX_ACCESS_TOKEN"],
      capabilities: { webSearch: ["gemini"] },
    },
    openaiWire("huggingface", "https://router.huggingface.co/v1", {
      ...{ keyVariables: ["HF_TOKEN"], ...quiet },
    }),
    openaiWire("github-models", "https://models.github.ai/inference", {
      ...{ keyVariables: ["GITHUB_MODELS_TOKEN"], ...quiet },
    }),
    openaiWire("cloudflare", "", {
      ...{ baseUrl: undefined, keyVariables: ["CLOUDFLARE_AI_TOKEN"], ...quiet },
    }),
    openaiWire("databricks", "", {
      ...{ baseUrl: undefined, keyVariables: ["DATABRICKS_TOKEN"], ...quiet },
    }),
  ];
}

function bedrockIn(region: string): CatalogueRow {
  return {
    ...{ name: `bedrock-${region}`, dialect: "bedrock", auth: "bearer", quiet: true },
    baseUrl: BEDROCK_URL.replace("{region}", region),
    keyVariables: ["AWS_BEARER_TOKEN_BEDROCK"],
    modelPrefixes: [],
  };
}
