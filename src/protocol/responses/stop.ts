import type { Stop, StopKind } from "../ir/answer.ts";
import type { Block } from "../ir/block.ts";
import { isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Report } from "../ir/loss.ts";

/** What of the answer decides why it stopped. */
export interface Said {
  readonly calls: boolean;
  readonly refusal: boolean;
}

/** What blocks say about why an answer stopped: the status does not (protocols.md 4.2). */
export function saidBy(blocks: readonly Block[]): Said {
  return {
    calls: blocks.some(({ type }) => type === "tool_call"),
    refusal: blocks.some(({ type }) => type === "refusal"),
  };
}

/** Why a response stopped; undefined while it has not. */
export function readStop(response: JsonObject, said: Said): Stop | undefined {
  const status = response["status"];
  switch (status) {
    case "queued":
    case "in_progress":
      return undefined;
    case "incomplete":
      return incomplete(response["incomplete_details"]);
    case "failed":
      return failed(response["error"]);
    case "completed":
    case undefined:
      return { kind: kindOf(said), raw: status };
  }
  return { kind: "other", raw: typeof status === "string" ? status : undefined };
}

function kindOf({ calls, refusal }: Said): StopKind {
  if (calls) return "tool_call";
  return refusal ? "refusal" : "end";
}

function incomplete(details: unknown): Stop {
  const reason = isObject(details as JsonObject) ? (details as JsonObject)["reason"] : undefined;
  const raw = typeof reason === "string" ? reason : "incomplete";
  return { kind: KIND_OF_REASON.get(raw) ?? "other", raw };
}

function failed(error: unknown): Stop {
  const { code, message } = isObject(error as JsonObject) ? (error as JsonObject) : {};
  return {
    kind: "error",
    raw: typeof code === "string" ? code : "failed",
    detail: typeof message === "string" ? message : undefined,
  };
}

const KIND_OF_REASON: ReadonlyMap<string, StopKind> = new Map([
  ["max_output_tokens", "length"],
  ["content_filter", "content_filter"],
  ["steered", "steered"],
]);

/** How this wire says that a response stopped. */
export interface WrittenStop {
  readonly status: "completed" | "incomplete" | "failed";
  readonly reason?: string;
  /** Something of the kind is lost. */
  readonly isRough?: boolean;
}

/** The status of a stop, and what it cannot say reported. */
export function writeStop(stop: Stop | undefined, report: Report): WrittenStop {
  const kind = stop?.kind ?? "other";
  const written = WRITTEN[kind];
  if (written.isRough === true) {
    const severity = kind === "pause" ? "semantic" : undefined;
    report({ code: "L-STOP", path: "stop", action: "approximated", detail: stop?.raw, severity });
  }
  return written;
}

const COMPLETED: WrittenStop = { status: "completed" };
const FAILED: WrittenStop = { status: "failed" };

/** protocols.md 4.2, column Resp; rough are those with a star. */
const WRITTEN: Readonly<Record<StopKind, WrittenStop>> = {
  end: COMPLETED,
  tool_call: COMPLETED,
  refusal: COMPLETED,
  length: { status: "incomplete", reason: "max_output_tokens" },
  context_window: { status: "incomplete", reason: "max_output_tokens", isRough: true },
  stop_sequence: { ...COMPLETED, isRough: true },
  pause: { ...COMPLETED, isRough: true },
  content_filter: { status: "incomplete", reason: "content_filter" },
  guardrail: { status: "incomplete", reason: "content_filter", isRough: true },
  recitation: { status: "incomplete", reason: "content_filter", isRough: true },
  malformed_tool_call: FAILED,
  malformed_output: FAILED,
  error: FAILED,
  timeout: FAILED,
  compaction: { status: "incomplete", reason: "steered" },
  steered: { status: "incomplete", reason: "steered" },
  continuation: { status: "incomplete", reason: "steered" },
  other: { ...COMPLETED, isRough: true },
};
