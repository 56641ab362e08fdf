import type { AnswerContext } from "../codec.ts";
import type { Stop } from "../ir/answer.ts";
import { compact } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { mintResponseId } from "./ids.ts";
import { type WrittenStop, writeStop } from "./stop.ts";

/** Who a response is: the same in every event of a stream. */
export interface Identity {
  readonly id: string;
  readonly createdAt: number;
  readonly model: string;
}

/** The identity of a response made of another protocol's answer. */
export function identityOf(
  answer: { readonly model?: string | undefined; readonly createdAt?: number | undefined },
  { requestId, asked, createdAt }: AnswerContext,
): Identity {
  return {
    id: mintResponseId(requestId),
    createdAt: Math.floor(answer.createdAt ?? createdAt),
    model: answer.model ?? asked.model,
  };
}

/** What changes while a response is written. */
export interface Progress {
  readonly status: string;
  readonly output: readonly JsonObject[];
  readonly usage?: JsonObject | undefined;
  readonly tier?: string | undefined;
  readonly incompleteReason?: string | undefined;
  readonly error?: JsonObject | undefined;
}

/** The response object, whole. */
export function responseObject(
  { id, createdAt, model }: Identity,
  progress: Progress,
  echo: JsonObject,
): JsonObject {
  const { status, output, usage, tier, incompleteReason, error } = progress;
  const incomplete = incompleteReason === undefined ? null : { reason: incompleteReason };
  const members: { readonly [name: string]: Json | undefined } = {
    id,
    object: "response",
    created_at: createdAt,
    status,
    completed_at: null, // There is no clock here.
    error: error ?? null,
    incomplete_details: incomplete,
    model,
    output,
    service_tier: tier !== undefined && TIERS.has(tier) ? tier : undefined,
    usage: usage ?? null,
  };
  return compact(members, echo);
}

/** How a response ends. */
export function endOf(
  stop: Stop | undefined,
  { report }: AnswerContext,
): Pick<Progress, "incompleteReason" | "error"> & Pick<WrittenStop, "status"> {
  const { status, reason } = writeStop(stop, report);
  const isFailed = status === "failed";
  return {
    status,
    incompleteReason: reason,
    error: isFailed ? { code: "server_error", message: stop?.detail ?? FAILED } : undefined,
  };
}

const FAILED = "The model failed to answer.";
/** The words this wire has for a service tier; another's are not repeated. */
const TIERS: ReadonlySet<string> = new Set([
  "auto",
  "default",
  "flex",
  "scale",
  "priority",
  "fast",
  "ultrafast",
]);
