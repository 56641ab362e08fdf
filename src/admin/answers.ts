import { METRICS_CONTENT_TYPE } from "../telemetry/exposition.ts";
import type { HostVerdict } from "./host.ts";

/** No page of another origin may read or embed what is here, and no cache may keep it. */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
} as const;

export function answerJson(status: number, body: object): Response {
  return Response.json(body, { status, headers: HEADERS });
}

export function answerMetrics(text: string): Response {
  return new Response(text, { headers: { ...HEADERS, "content-type": METRICS_CONTENT_TYPE } });
}

export function answerNotFound(): Response {
  return answerProblem(404, { type: "not_found", message: "There is nothing here." });
}

export function answerMethodNotAllowed(allowed: readonly string[]): Response {
  const message = `Here is answered: ${allowed.join(", ")}.`;
  const response = answerProblem(405, { type: "method_not_allowed", message });
  response.headers.set("allow", allowed.join(", "));
  return response;
}

export function answerForbidden(): Response {
  const message = "This token may read, and change nothing.";
  return answerProblem(403, { type: "forbidden", message });
}

/** What cannot be kept to one tenant is not for one tenant's token. */
export function answerOutOfScope(): Response {
  const message = "This token is for the keys of one tenant alone.";
  return answerProblem(403, { type: "forbidden", message });
}

/** Where no token is configured nobody can have one. */
export function answerClosed(): Response {
  const message = "No admin token is configured: set INTERLOCK_ADMIN_TOKEN, or admin.tokens.";
  return answerProblem(401, { type: "unauthenticated", message });
}

export function answerUnauthenticated(): Response {
  const message = "Send the admin token as `Authorization: Bearer …` or `X-Admin-Token`.";
  const response = answerProblem(401, { type: "unauthenticated", message });
  response.headers.set("www-authenticate", 'Bearer realm="interlock-admin"');
  return response;
}

export function answerHost(verdict: Exclude<HostVerdict, "ok">): Response {
  if (verdict === "malformed") {
    return answerProblem(400, {
      type: "bad_host",
      message: "The Host header is missing or malformed.",
    });
  }
  return answerProblem(421, {
    type: "host_not_allowed",
    message: "This name is not one of ours. Use an address, or add it to server.allowed_hosts.",
  });
}

/** What a bug looks like from outside: nothing of the exception. */
export function answerBug(): Response {
  return answerProblem(500, { type: "internal_error", message: "Something went wrong here." });
}

export interface Problem {
  readonly type: string;
  readonly message: string;
  /** What of the request is wrong. */
  readonly param?: string | undefined;
}

export function answerProblem(status: number, error: Problem): Response {
  return answerJson(status, { error });
}
