import { type Foreign, foreignObject, foreignText } from "../../wire/foreign.ts";

/** What an upstream says is wrong, out of an error body or a stream's last event. */
export interface Complaint {
  /** `error_type`, in lower case: only some errors have one. */
  readonly code: string | undefined;
  /** As it came, but cut: a validation message may echo the whole prompt. */
  readonly message: string;
}

const MESSAGE_LENGTH_MAX = 4096;

/** The complaint in an error body, `{"message", "id"?}`; undefined when there is none. */
export function readComplaint(body: unknown): Complaint | undefined {
  const root = foreignObject(body);
  if (root === undefined) return undefined;
  // Proxies and other gateways wrap it; FastAPI, which many hosts stand behind, says `detail`.
  const nested = foreignObject(root["error"]);
  if (nested !== undefined) return complaintOf(nested, nested["message"]);
  const said = root["message"] ?? root["error"] ?? root["detail"];
  const isError = said !== undefined || "error_type" in root;
  return isError ? complaintOf(root, said) : undefined;
}

/** What a `message-end` says that is an error: `{"finish_reason", "error"?, "error_type"?}`. */
export function complaintOfEnd(delta: Foreign): Complaint {
  return complaintOf(delta, delta["error"]);
}

function complaintOf(root: Foreign, said: unknown): Complaint {
  const code = foreignText(root["error_type"]) ?? foreignText(root["code"]);
  const text = typeof said === "string" ? said : "";
  return { code: code?.toLowerCase(), message: text.slice(0, MESSAGE_LENGTH_MAX) };
}
