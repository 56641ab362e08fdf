import type { DialectId } from "../../src/core/ids.ts";
import { DIALECT_IDS } from "../../src/core/ids.ts";
import type { Faultd } from "../faultd/faultd.ts";
import { UPSTREAM_KEY } from "./config.ts";

/** What a base URL of each protocol ends in. */
export const MOUNTS: Readonly<Record<DialectId, string>> = {
  openai: "/v1",
  responses: "/v1",
  anthropic: "",
  gemini: "/v1beta",
  bedrock: "",
  cohere: "",
};

/** One local provider for each protocol, all at one faultd: the model `on-anthropic` and so on. */
export function sixProviders(upstream: Faultd, rest: object = {}): object {
  const entries = DIALECT_IDS.map((protocol) => [
    `p-${protocol}`,
    {
      protocol,
      base_url: `${upstream.origin}${MOUNTS[protocol]}`,
      placement: "local",
      api_key: UPSTREAM_KEY,
      terminal: "finish",
    },
  ]);
  const models = DIALECT_IDS.map((protocol) => [
    `on-${protocol}`,
    { provider: `p-${protocol}`, upstream_model: UPSTREAM_MODELS[protocol] },
  ]);
  return {
    providers: Object.fromEntries(entries),
    models: Object.fromEntries(models),
    ...rest,
  };
}

/** A name of each vendor, so that its family's record applies. */
export const UPSTREAM_MODELS: Readonly<Record<DialectId, string>> = {
  openai: "gpt-4o",
  responses: "gpt-4o",
  anthropic: "claude-sonnet-4-5",
  gemini: "gemini-3-pro",
  bedrock: "anthropic.claude-sonnet-4-5-v1:0",
  cohere: "command-a-03-2025",
};

export interface Call {
  readonly path: string;
  readonly body: object;
}

export interface CallOptions {
  readonly user: string;
  readonly stream?: boolean;
}

/** Enough of a call for each protocol; a vendor's own server would want more. */
export const CALLS: Readonly<Record<DialectId, (model: string, call: CallOptions) => Call>> = {
  openai: (model, { user, stream = false }) => ({
    path: "/v1/chat/completions",
    body: { model, messages: [{ role: "user", content: user }], ...(stream && { stream }) },
  }),
  responses: (model, { user, stream = false }) => ({
    path: "/v1/responses",
    body: { model, input: user, store: false, ...(stream && { stream }) },
  }),
  anthropic: (model, { user, stream = false }) => ({
    path: "/v1/messages",
    body: {
      ...{ model, max_tokens: 9, messages: [{ role: "user", content: user }] },
      ...(stream && { stream }),
    },
  }),
  gemini: (model, { user, stream = false }) => ({
    path: `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    body: { contents: [{ role: "user", parts: [{ text: user }] }] },
  }),
  bedrock: (model, { user, stream = false }) => ({
    path: `/model/${model}/${stream ? "converse-stream" : "converse"}`,
    body: { messages: [{ role: "user", content: [{ text: user }] }] },
  }),
  cohere: (model, { user, stream = false }) => ({
    path: "/v2/chat",
    body: { model, messages: [{ role: "user", content: user }], ...(stream && { stream }) },
  }),
};
