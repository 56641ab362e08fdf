import type { Network, Session, SessionOptions } from "../../src/runtime/runtime.ts";

/** One request that left the gateway, as the far end would see it. */
export interface Sent {
  /** The address dialled, with scheme and port. */
  readonly origin: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly session: SessionOptions;
  readonly init: BunFetchRequestInit;
}

export interface SimNetwork extends Network {
  readonly sent: readonly Sent[];
}

/** Fetch follows no more than 20; a few show as much. */
const HOPS_MAX = 5;

export interface SimNetworkOptions {
  /** The addresses of a name, asked anew each time. */
  readonly resolve?: (host: string) => readonly string[];
  /** What the far end does with a request. */
  readonly answer: (sent: Sent) => Response | Promise<Response>;
  readonly reach?: () => boolean;
}

/** A network that keeps what was sent where, follows redirects and proxies as the real one would. */
export function simNetwork(options: SimNetworkOptions): SimNetwork {
  const sent: Sent[] = [];

  async function send(
    url: string,
    init: BunFetchRequestInit,
    session: SessionOptions,
    hops = 0,
  ): Promise<Response> {
    const body = init.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : "";
    const headers = init.headers as Record<string, string>;
    const proxy = proxyOf(init, session);
    const origin = proxy ?? new URL(url).origin;
    const one: Sent = { origin, url, headers, body, session, init };
    sent.push(one);
    init.signal?.throwIfAborted();
    const response = await options.answer(one);
    const target = response.headers.get("location");
    if (target !== null && init.redirect !== "manual") {
      if (hops === HOPS_MAX) throw Object.assign(new Error("loop"), { code: "TooManyRedirects" });
      return send(target, init, session, hops + 1);
    }
    return response;
  }

  return {
    sent,
    resolve: (host) => Promise.resolve(options.resolve?.(host) ?? [SOMEWHERE]),
    reach: () => Promise.resolve(options.reach?.() ?? true),
    session(session): Session {
      return { fetch: (url, init) => send(url, init, session), close() {} };
    },
  };
}

/** The open internet, as far as it is here: RFC 5737. */
export const SOMEWHERE = "192.0.2.1";
/** Bun takes the environment's proxy for every request that does not say `proxy: false`. */
export const ENVIRONMENT_PROXY = "http://proxy.external.test:3128";

function proxyOf(init: BunFetchRequestInit, session: SessionOptions): string | undefined {
  const { proxy } = init;
  if (proxy === false) return undefined;
  if (typeof proxy === "object" && "url" in proxy) return new URL(String(proxy.url)).origin;
  return session.proxy?.origin ?? ENVIRONMENT_PROXY;
}
