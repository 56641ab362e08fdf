import { Backend } from "../core/backend.ts";
import type { Admits, Privacy } from "../core/privacy.ts";
import type { Request } from "../core/request.ts";
import type { Dialled, Egress } from "./egress.ts";

export interface OpenOptions {
  readonly egress: Egress;
  readonly dialled: Dialled;
  /** Path and query below the backend's origin. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** The only call that sends a caller's payload anywhere. */
export function open<P extends Privacy>(
  request: Request<P>,
  backend: Backend<Admits<P>>,
  options: OpenOptions,
): Promise<Response> {
  if (!Backend.is(backend)) throw new Error("backend did not come from the config parser");
  const { egress, dialled } = options;
  return egress.session.fetch(dialled.origin + options.path, {
    method: "POST",
    headers: options.headers,
    body: request.unseal(backend),
    signal: options.signal,
    redirect: "manual", // A 307 from a local backend would carry the payload to wherever it points.
    proxy: egress.proxy, // Bun honours HTTP_PROXY even for loopback; that too is somewhere else.
    decompress: false, // Bun decodes but keeps content-encoding; relay the bytes as they came.
    timeout: false, // The attempt has its own deadlines; Bun's would cut a model that thinks.
  });
}
