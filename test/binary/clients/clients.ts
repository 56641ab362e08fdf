import { anthropic0, anthropic1 } from "./anthropic.ts";
import { bedrock } from "./bedrock.ts";
import type { Client } from "./client.ts";
import { cohere } from "./cohere.ts";
import { genai } from "./genai.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";

/** The vendors' own SDKs, every protocol at least once. */
export const CLIENTS: readonly Client[] = [
  openaiChat,
  openaiResponses,
  anthropic1,
  anthropic0,
  genai,
  bedrock,
  cohere,
];
