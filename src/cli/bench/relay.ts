/** Long enough for any quiet stream; 0 turns Bun's idle timer off. */
const NO_IDLE_TIMEOUT = 0;

// The global one, with its pool, because that is what a relay in Bun is written with.
const send = globalThis.fetch;

export interface RelayServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** The least a relay in Bun can be: no keys, no parsing, no accounts. A ceiling, not a product. */
export function startRelay(port: number, upstream: string): RelayServer {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    development: false,
    idleTimeout: NO_IDLE_TIMEOUT,
    fetch: (request) => relayed(request, upstream),
  });
  const bound = server.port;
  if (bound === undefined) throw new Error("a relay without a port");
  return { port: bound, stop: () => server.stop(true) };
}

async function relayed(request: Request, upstream: string): Promise<Response> {
  const { method, headers, url } = request;
  const path = url.slice(url.indexOf("/", 8));
  const body = method === "POST" ? await request.bytes() : null;
  const init = { method, headers, body, decompress: false, redirect: "manual" } as const;
  const up = await send(upstream + path, init);
  return new Response(up.body, { status: up.status, headers: up.headers });
}
