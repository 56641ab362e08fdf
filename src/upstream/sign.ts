import type { Backend } from "../core/backend.ts";
import type { Placement } from "../core/privacy.ts";
import type { Chunk } from "../core/units.ts";
import type { Clock } from "../runtime/runtime.ts";
import { regionOfHost, signRequest } from "../wire/sigv4.ts";

export interface SignOptions {
  readonly method: string;
  /** Path and query as they are sent. */
  readonly path: string;
  readonly clock: Clock;
  readonly body: Chunk | undefined;
}

/** Where a host's name does not tell: AWS's own default. */
const REGION = "us-east-1";

/** Signs a call to AWS: adds the headers of Signature Version 4. The body stays as it is. */
export function sign(
  headers: Record<string, string>,
  { baseUrl, credential }: Backend<Placement>,
  { method, path, clock, body }: SignOptions,
): void {
  if (credential === undefined) return;
  const [accessKeyId = "", secretAccessKey = "", sessionToken] = credential.expose().split("\n");
  const mark = path.indexOf("?");
  const added = signRequest(
    {
      method,
      host: headers["host"] ?? baseUrl.host,
      path: mark === -1 ? path : path.slice(0, mark),
      query: mark === -1 ? "" : path.slice(mark + 1),
      headers: { "content-type": headers["content-type"] ?? "application/json" },
      body,
    },
    {
      credentials: { accessKeyId, secretAccessKey, sessionToken },
      region: regionOfHost(baseUrl.hostname) ?? REGION,
      service: "bedrock",
      at: clock.wall(),
    },
  );
  for (const name in added) headers[name] = added[name]!;
}
