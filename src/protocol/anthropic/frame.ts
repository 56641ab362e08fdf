import { printJson } from "../../wire/exact-json.ts";
import type { JsonObject } from "../ir/json.ts";

/** One event. Without its `event` line the SDKs hand on nothing: protocols.md 5.3. */
export function frame(name: string, data: JsonObject): string {
  return `event: ${name}\ndata: ${printJson(data)}\n\n`;
}

/** The name an event of a kind unknown to us came with, or that its data says. */
export function nameOf(event: string | undefined, data: JsonObject): string {
  const { type } = data;
  const name = event ?? (typeof type === "string" ? type : "message");
  return name.replace(/[\r\n]/g, " ");
}
