import { Backend } from "../core/backend.ts";
import type { Admits, Privacy } from "../core/privacy.ts";
import type { Request } from "../core/request.ts";
import type { Clock } from "../runtime/runtime.ts";
import type { Dialled, Egress } from "./egress.ts";
import { sign } from "./sign.ts";

export interface OpenOptions {
  readonly egress: Egress;
  readonly dialled: Dialled;
  readonly method: string;
  /** Path and query below the backend's origin. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly clock: Clock;
  /** The bytes are read here and not relayed, so an encoding may be undone. */
  readonly decodes: boolean;
  readonly signal: AbortSignal;
}

/** The only call that sends a caller's payload anywhere. */
export function open<P extends Privacy>(
  request: Request<P>,
  backend: Backend<Admits<P>>,
  options: OpenOptions,
): Promise<Response> {
  if (!Backend.is(backend)) throw new Error("backend did not come from the config parser");
  const { egress, dialled, method, headers } = options;
  const payload = request.unseal(backend);
  const body = method === "GET" || method === "HEAD" ? undefined : payload;
  if (backend.auth === "sigv4") sign(headers, backend, { ...options, body });
  return egress.session.fetch(dialled.origin + options.path, {
    method,
    headers,
    body: body ?? null,
    signal: options.signal,
    redirect: "manual", // A 307 from a local backend would carry the payload to wherever it points.
    proxy: egress.proxy, // Bun honours HTTP_PROXY even for loopback; that too is somewhere else.
    decompress: options.decodes, // Bun decodes but keeps the header; relay bytes as they came.
    timeout: false, // The attempt has its own deadlines; Bun's would cut a model that thinks.
  });
}
