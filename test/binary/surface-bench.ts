import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import type { SeenRequest } from "../faultd/request-reader.ts";
import type { Script } from "../faultd/script.ts";
import { dialectOf, type Surface } from "./exchanges.ts";
import { UPSTREAM_KEY } from "./config.ts";
import { type Binary, startBinary } from "./harness.ts";
import { sixProviders } from "./six.ts";

/** The key callers show the gateway: none of it may ever reach an upstream. */
export const GATEWAY_KEY = "sk-interlock-canary-9876543210";

/** One binary that sends every name it does not know to one protocol's faultd. */
export interface SurfaceBench extends AsyncDisposable {
  readonly binary: Binary;
  readonly upstream: Faultd;
  /** Every request from now on gets this. */
  play(script: Script): void;
  /** Sends bytes as they are; the answer's body is not decoded. */
  send(call: Sent): Promise<Got>;
  /** The request that came upstream last. */
  last(): SeenRequest;
}

export interface Sent {
  readonly path: string;
  readonly method?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

export interface SurfaceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The provider has no key in the file: it finds one in the environment. */
  readonly keyless?: true;
}

export async function startSurface(
  surface: Surface,
  { env, keyless }: SurfaceOptions = {},
): Promise<SurfaceBench> {
  let script: Script = { raw: "", then: "rst" };
  const upstream = startFaultd(() => script);
  const config = sixProviders(upstream, {
    keys: { app: { key: GATEWAY_KEY } },
    routing: { default_provider: `p-${dialectOf(surface)}` },
  });
  const text = JSON.stringify(config);
  const binary = await startBinary({
    config: keyless ? text.replaceAll(`"api_key":"${UPSTREAM_KEY}",`, "") : text,
    ...(env && { env }),
  });
  return {
    binary,
    upstream,
    play: (next) => void (script = next),
    async send({ path, method = "POST", body, headers }) {
      const answer = await fetch(binary.origin + path, {
        method,
        headers: { authorization: `Bearer ${GATEWAY_KEY}`, ...headers },
        ...(body !== undefined && { body }),
        decompress: false,
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return { status: answer.status, headers: answer.headers, bytes };
    },
    last() {
      const request = upstream.exchanges.at(-1)?.request;
      if (request === undefined) throw new Error("nothing came upstream");
      return request;
    },
    async [Symbol.asyncDispose]() {
      await binary[Symbol.asyncDispose]();
      upstream.stop();
    },
  };
}
