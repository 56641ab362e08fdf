import type { Fault } from "../../core/fault.ts";
import type { Chunk } from "../../core/units.ts";
import {
  type Foreign,
  foreignList,
  foreignObject,
  foreignText,
  parseForeign,
} from "../../wire/foreign.ts";
import type { ErrorClass, WireError } from "../wire-error.ts";
import { contextSize } from "./context-size.ts";
import { faultOfEvent, faultOfNamedEvent, readFault } from "./fault.ts";
import { scrubbed } from "./scrub.ts";
import { STATUSES } from "./rejection.ts";

const NO_MESSAGE = "The model could not answer the request.";
/** A validation message may echo the whole prompt. */
const MESSAGE_LENGTH_MAX = 4096;
const utf8 = new TextEncoder();

/** What an error answer says, ready to be spelled in another protocol. */
export function readError(status: number, headers: Headers, body: Chunk): WireError {
  const fault = readFault(status, headers, body);
  return errorOf(errorObjectOf(parseForeign(body)), { fault, status });
}

/** What an error inside a stream says. */
export function readStreamError(event: unknown): WireError {
  const fault = faultOfEvent(foreignObject(event) ?? {}) ?? faultOfNamedEvent(event);
  return errorOf(errorObjectOf(event), { fault, status: undefined });
}

interface Circumstances {
  readonly fault: Fault;
  /** Undefined inside a stream, whose own status was 200. */
  readonly status: number | undefined;
}

function errorOf(error: Foreign, { fault, status }: Circumstances): WireError {
  const inner = innerOf(error);
  const message = messageOf(inner) ?? messageOf(error) ?? NO_MESSAGE;
  const codes = codesOf(inner).concat(codesOf(error));
  const kind = classOf(fault, { codes, message, status: status ?? statusIn(error) });
  return {
    class: kind,
    status: STATUSES[kind] ?? clientStatus(status),
    message: scrubbed(message.slice(0, MESSAGE_LENGTH_MAX)),
    code: kind === "request_too_large" ? undefined : (codeOf(inner) ?? codeOf(error)),
    param: foreignText(inner["param"]) ?? foreignText(error["param"]),
    limit: kind === "rate_limit" ? limitOf(codes, message) : undefined,
    tokens: kind === "context_length" ? contextSize(inner, message) : undefined,
    retryAfterMs: "retryAfterMs" in fault ? fault.retryAfterMs : undefined,
  };
}

/** A status of the caller's own mistake says more than a plain 400. */
function clientStatus(status: number | undefined): number {
  return status !== undefined && status >= 400 && status < 500 ? status : 400;
}

/** The error's members, out of any envelope of this wire: protocols.md 6.1. */
function errorObjectOf(body: unknown): Foreign {
  const root = foreignObject(Array.isArray(body) ? body[0] : body);
  if (root === undefined) return {};
  const nested = foreignObject(root["error"]);
  if (nested !== undefined) return nested;
  if (typeof root["error"] === "string") return { message: root["error"], code: root["code"] };
  const failed = foreignList(root["choices"]).map((choice) => foreignObject(choice)?.["error"]);
  return failed.map(foreignObject).find((error) => error !== undefined) ?? root;
}

/** OpenRouter passes the provider's own answer on as a text, which may itself be JSON. */
function innerOf(error: Foreign): Foreign {
  const raw = foreignText(foreignObject(error["metadata"])?.["raw"]);
  if (raw === undefined) return error;
  const root = foreignObject(parseForeign(utf8.encode(raw)));
  return foreignObject(root?.["error"]) ?? root ?? { message: raw };
}

/** FastAPI says `detail`: a text, or a list of what is wrong where. */
function messageOf(error: Foreign): string | undefined {
  const texts = [foreignText(error["message"]), foreignText(error["detail"])];
  const text = texts.find((each) => each !== undefined && each.trim() !== "");
  if (text !== undefined) return text;
  const details = foreignList(error["detail"]).map((each) =>
    foreignText(foreignObject(each)?.["msg"]),
  );
  const said = details.filter((each) => each !== undefined && each.trim() !== "");
  return said.length === 0 ? undefined : said.join("; ");
}

/** A word that says more than the class does: not a status, nor the name of a kind of error. */
function codeOf(error: Foreign): string | undefined {
  const code = foreignText(error["code"]);
  return code === undefined || /^\d+$|error$/i.test(code) ? undefined : code;
}

function codesOf(error: Foreign): string[] {
  return [error["code"], error["type"]].flatMap((code) => foreignText(code) ?? []);
}

function statusIn(error: Foreign): number | undefined {
  const code = error["code"] ?? error["status"];
  return typeof code === "number" ? code : undefined;
}

interface Words {
  readonly codes: readonly string[];
  readonly message: string;
  readonly status: number | undefined;
}

function classOf(fault: Fault, words: Words): ErrorClass {
  const { status } = words;
  switch (fault.kind) {
    case "rate_limited":
      return "rate_limit";
    case "overloaded":
      return "overloaded";
    case "billing":
      return "quota";
    case "auth":
      return status === 403 ? "permission" : "auth";
    case "context_length":
      return "context_length";
    case "timeout":
      return "timeout";
    case "client_error":
    case "not_now":
      return clientClass(words);
    case "server_error":
      return status === undefined || status === 500 ? "server" : serverClass(status);
    case "network":
    case "tls":
    case "protocol":
    case "redirect":
    case "address_refused":
      return "bad_upstream";
  }
}

function serverClass(status: number): ErrorClass {
  return status === 504 || status === 408 || status === 524 ? "timeout" : "bad_upstream";
}

/** Codes that tell more than a status does. */
const CLASSES: ReadonlyMap<string, ErrorClass> = new Map([
  ["model_not_found", "model_not_found"],
  ["deploymentnotfound", "model_not_found"],
  ["content_filter", "content_filter"],
  ["content_policy_violation", "content_filter"],
  ["rate_limit_exceeded", "request_too_large"], // The client's: one request above the whole window.
  ["tool_use_failed", "bad_upstream"], // Groq: the model wrote a call that does not parse.
  ["unsupported_parameter", "unsupported"],
]);

function clientClass({ codes, message, status }: Words): ErrorClass {
  for (const code of codes) {
    const kind = CLASSES.get(code.toLowerCase());
    if (kind !== undefined) return kind;
  }
  switch (status) {
    case 403:
      return "content_filter"; // OpenRouter's moderation: what else is the client's was told apart.
    case 404:
      return /\bmodels?\b/i.test(message) ? "model_not_found" : "not_found";
    case 408:
      return "timeout";
    case 409:
      return "conflict";
    case 413:
      return "request_too_large";
    case 499:
      return "cancelled";
  }
  return "invalid_request";
}

function limitOf(codes: readonly string[], message: string): "requests" | "tokens" {
  if (codes.includes("tokens")) return "tokens";
  return codes.includes("requests") || !/\btokens?\b/i.test(message) ? "requests" : "tokens";
}
