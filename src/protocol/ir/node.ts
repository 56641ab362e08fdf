import type { DialectId } from "../../core/ids.ts";
import type { JsonObject } from "./json.ts";

/**
 * What the source node said that the representation does not model, verbatim, under the protocol
 * that owns it. The writer of that protocol merges it back; every other writer passes it by, and
 * `prepare` reports it.
 */
export type Ext = { readonly [D in DialectId]?: JsonObject };

export interface Node {
  readonly ext?: Ext | undefined;
  /** Where it stood in the caller's body, as `messages[4].content[1]`: for loss reports only. */
  readonly at?: string | undefined;
}
