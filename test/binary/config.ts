import type { Faultd } from "../faultd/faultd.ts";

/** The credential the gateway sends to faultd: none of it may ever reach a client. */
export const UPSTREAM_KEY = "sk-upstream-canary-0123456789";

export interface ConfigOptions {
  readonly upstream: Faultd;
  /** Names the upstream serves under the very same name, so that no request is rewritten. */
  readonly models: readonly string[];
  /** More of the provider's entry, over what stands here. */
  readonly provider?: object;
  /** More of the tree, section by section. */
  readonly rest?: object;
}

/** A configuration as a tree, as far as the suites look into it. */
export interface Tree {
  readonly providers: Readonly<Record<string, object>>;
  readonly models: Readonly<Record<string, object>>;
}

/** One local provider named `mock`, no keys: open mode on loopback. */
export function configFor({ upstream, models, provider, rest }: ConfigOptions): Tree {
  return {
    providers: { mock: providerAt(upstream, provider) },
    models: Object.fromEntries(models.map((name) => [name, { provider: "mock" }])),
    ...rest,
  };
}

/** A provider entry that speaks OpenAI's protocol to a faultd. */
export function providerAt(upstream: Faultd, rest: object = {}): object {
  const base_url = `${upstream.origin}/v1`;
  return { protocol: "openai", base_url, placement: "local", api_key: UPSTREAM_KEY, ...rest };
}

/** Where memory is measured: the ledger's writer would be part of it from when it starts. */
export const NO_LEDGER = { ledger: { enabled: false } };

/** Deadlines short enough for a test of what happens when one passes. */
export const SHORT_TIMEOUTS = {
  timeout: { connect_seconds: 1, request_seconds: 2, stall_seconds: 1, streaming_seconds: 60 },
};

/** A minimal chat request; `rest` is laid over it. */
export function chatBody(rest: object = {}): string {
  return JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...rest });
}

/** The complete stream most suites use: two deltas, a finish, usage, the end. */
export const STREAM = [
  chunk({ delta: { role: "assistant", content: "Hel" } }),
  chunk({ delta: { content: "lo, wörld" } }),
  chunk({ delta: {}, finish_reason: "stop" }),
  "data: [DONE]\n\n",
].join("");

function chunk(choice: object): string {
  const choices = [{ index: 0, finish_reason: null, ...choice }];
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };
  return `data: ${JSON.stringify({ ...head, choices })}\n\n`;
}

/** The complete buffered answer most suites use. */
export const COMPLETION = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
});
