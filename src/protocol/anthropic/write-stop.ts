import type { IrAnswer, Stop } from "../ir/answer.ts";
import type { Json } from "../ir/json.ts";
import { stopWord } from "./stop.ts";
import { required, type Writing } from "./writing.ts";

/** What an answer says of its end, whole or in `message_delta`. */
export interface StopMembers {
  readonly [name: string]: Json | undefined;
  readonly stop_reason: string | null;
  readonly stop_sequence: string | null;
  readonly stop_details: Json | undefined;
}

/** The end of an answer; a word that says less than the source's is reported. */
export function writeStop(stop: Stop | undefined, writing: Writing): StopMembers {
  if (stop === undefined) {
    return { stop_reason: null, stop_sequence: null, stop_details: required(writing, null) };
  }
  const { word, isNear } = stopWord(stop, writing.isOwn);
  if (isNear === true) {
    const detail = stop.raw ?? stop.kind;
    writing.report({ code: "L-STOP", path: "stop", action: "approximated", detail });
  }
  const explanation = stop.detail ?? null;
  const refusal = word === "refusal" ? { type: "refusal", category: null, explanation } : null;
  return {
    stop_reason: word,
    stop_sequence: stop.sequence ?? null,
    stop_details: required(writing, refusal),
  };
}

/** A blocked prompt is an empty answer that was refused: protocols.md 4.2. */
export function blockedStop(blocked: IrAnswer["blocked"]): Stop | undefined {
  if (blocked === undefined) return undefined;
  const { reason, message } = blocked;
  return { kind: "content_filter", raw: reason, detail: message ?? reason };
}

/** A refusal in words is text here, so that only the stop reason tells it: protocols.md 4.2. */
export function refusing(stop: Stop | undefined, hasRefusal: boolean): Stop | undefined {
  if (!hasRefusal || (stop !== undefined && stop.kind !== "end")) return stop;
  return { ...stop, kind: "refusal" };
}
