import { printJson } from "../../wire/exact-json.ts";
import type { Json } from "../ir/json.ts";

/** The members of an event behind its type; undefined ones are left out. */
export interface FrameBody {
  readonly [name: string]: Json | FrameBody | undefined;
}

/** One event as this wire frames it: the type stands on the event line and in the data. */
export function frame(type: string, body: FrameBody): string {
  return `event: ${type}\ndata: ${printJson({ type, ...body })}\n\n`;
}
