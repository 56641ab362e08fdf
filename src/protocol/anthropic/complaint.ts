import { type Foreign, foreignObject, foreignText } from "../../wire/foreign.ts";

/** What an upstream says is wrong: protocols.md §6.1. */
export interface Complaint {
  /** `details.error_code`, a stable code that names the cause, in lower case. */
  readonly errorCode: string | undefined;
  readonly type: string | undefined;
  /** As it came, but cut: a validation message may echo the whole prompt. */
  readonly message: string | undefined;
}

const MESSAGE_LENGTH_MAX = 4096;

/** The complaint in a body or an event; undefined when it holds no error. */
export function readComplaint(body: unknown): Complaint | undefined {
  // Vertex wraps the error in a list.
  const root = foreignObject(Array.isArray(body) ? body[0] : body);
  if (root === undefined) return undefined;
  const error = root["error"];
  const nested = foreignObject(error);
  if (nested !== undefined) return complaintOf(nested);
  if (typeof error === "string") return complaintOf({ message: error });
  // What stands before a host, or copies it, may have no wrapper, or FastAPI's `detail`.
  const isFlat = root["type"] === "error" || typeof root["message"] === "string";
  if (isFlat) return complaintOf({ message: root["message"] });
  return "detail" in root ? complaintOf({ message: root["detail"] }) : undefined;
}

function complaintOf(error: Foreign): Complaint {
  return {
    errorCode: foreignText(foreignObject(error["details"])?.["error_code"])?.toLowerCase(),
    type: foreignText(error["type"])?.toLowerCase(),
    message: foreignText(error["message"])?.slice(0, MESSAGE_LENGTH_MAX),
  };
}
