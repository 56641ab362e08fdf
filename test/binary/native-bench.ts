import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import type { SeenRequest } from "../faultd/request-reader.ts";
import { json, type Script } from "../faultd/script.ts";
import { UPSTREAM_KEY } from "./config.ts";
import { type Binary, startBinary } from "./harness.ts";

/** Keys of the gateway's own, each with what it may do. */
export const KEYS = {
  all: "sk-interlock-all-0123456789",
  narrow: "sk-interlock-narrow-0123456789",
  secret: "sk-interlock-secret-0123456789",
} as const;
export type KeyName = keyof typeof KEYS;

/** Providers by name, as a base URL alone reaches them; one stands outside. */
export interface NativeBench extends AsyncDisposable {
  readonly binary: Binary;
  readonly near: Faultd;
  readonly far: Faultd;
  play(script: Script): void;
  send(path: string, how?: Sent): Promise<Answered>;
  /** The last request that came to the near one. */
  last(): SeenRequest;
}
export interface Sent {
  readonly method?: string;
  readonly body?: string | Uint8Array | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: KeyName;
}
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
}

export async function startNative(): Promise<NativeBench> {
  let script: Script = json({});
  const near = startFaultd(() => script);
  const far = startFaultd(() => script);
  const binary = await startBinary({ config: configOf(near, far) });
  return {
    binary,
    near,
    far,
    play: (next) => void (script = next),
    async send(path, { method = "POST", body, headers, key = "all" } = {}) {
      const answer = await fetch(binary.origin + path, {
        method,
        headers: { authorization: `Bearer ${KEYS[key]}`, ...headers },
        ...(body !== undefined && { body }),
        decompress: false,
        redirect: "manual",
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return { status: answer.status, headers: answer.headers, bytes, text: bytes.toString() };
    },
    last() {
      const request = near.exchanges.at(-1)?.request;
      if (request === undefined) throw new Error("nothing came upstream");
      return request;
    },
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      near.stop();
      far.stop();
    },
  };
}

function configOf(near: Faultd, far: Faultd): object {
  const provider = (protocol: string, mount: string, rest: object = {}) => ({
    ...{ protocol, base_url: `${near.origin}${mount}`, placement: "local" },
    ...{ api_key: UPSTREAM_KEY, ...rest },
  });
  return {
    privacy: { default: "shareable" },
    providers: {
      mounted: provider("openai", "/openai/v1"),
      plain: provider("openai", "/v1"),
      claude: provider("anthropic", ""),
      google: provider("gemini", "/v1beta"),
      aws: provider("bedrock", ""),
      coherent: provider("cohere", ""),
      outside: {
        ...{ protocol: "openai", base_url: `${far.origin}/v1`, placement: "external" },
        api_key: UPSTREAM_KEY,
      },
    },
    models: {
      chat: { provider: "plain", upstream_model: "gpt-4o" },
      sonnet: { provider: "claude", upstream_model: "claude-sonnet-4-5" },
      flash: { provider: "google", upstream_model: "gemini-3-flash" },
      nova: { provider: "aws", upstream_model: "us.amazon.nova-lite-v1:0" },
      command: { provider: "coherent", upstream_model: "command-a-03-2025" },
      away: { provider: "outside", upstream_model: "gpt-4o" },
    },
    pools: {
      both: { members: [{ model: "sonnet" }, { model: "chat", priority: 1 }] },
      closed: { privacy: "private", members: [{ model: "away" }] },
    },
    keys: {
      all: { key: KEYS.all },
      narrow: { key: KEYS.narrow, allow: ["mounted", "chat", "both"] },
      secret: { key: KEYS.secret, privacy: "private" },
    },
  };
}
