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
  return answerError(404, { type: "not_found", message: "There is nothing here." });
}

export function answerMethodNotAllowed(): Response {
  const message = "Only GET and HEAD are answered here.";
  const response = answerError(405, { type: "method_not_allowed", message });
  response.headers.set("allow", "GET, HEAD");
  return response;
}

export function answerUnauthenticated(): Response {
  const message = "Send the admin token as `Authorization: Bearer …` or `X-Admin-Token`.";
  const response = answerError(401, { type: "unauthenticated", message });
  response.headers.set("www-authenticate", 'Bearer realm="interlock-admin"');
  return response;
}

export function answerHost(verdict: Exclude<HostVerdict, "ok">): Response {
  if (verdict === "malformed") {
    return answerError(400, {
      type: "bad_host",
      message: "The Host header is missing or malformed.",
    });
  }
  return answerError(421, {
    type: "host_not_allowed",
    message: "This name is not one of ours. Use an address, or add it to server.allowed_hosts.",
  });
}

/** What a bug looks like from outside: nothing of the exception. */
export function answerBug(): Response {
  return answerError(500, { type: "internal_error", message: "Something went wrong here." });
}

interface ErrorBody {
  readonly type: string;
  readonly message: string;
}

function answerError(status: number, error: ErrorBody): Response {
  return answerJson(status, { error });
}
