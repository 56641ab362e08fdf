import type { Block } from "../ir/block.ts";
import type { Delta } from "../ir/event.ts";
import { isObject } from "../ir/fields.ts";
import type { JsonObject } from "../ir/json.ts";
import type { Ext } from "../ir/node.ts";
import { OwnFields } from "./own-fields.ts";
import { signed } from "./read-blocks.ts";
import { readCitation } from "./read-citations.ts";

export interface DeltaRead {
  readonly index: number;
  readonly d: Delta;
  readonly ext: Ext | undefined;
  /** The block that such a delta grows; undefined where it cannot be told from it alone. */
  readonly begins: Block | undefined;
}

interface Known {
  readonly member: string;
  readonly read: (text: string) => Delta;
  readonly begins?: Block;
}
const TEXT: Block = { type: "text", text: "" };
const THINKING: Block = { type: "reasoning", text: "" };

const TEXTS: ReadonlyMap<string, Known> = new Map<string, Known>([
  ["text_delta", { member: "text", read: (text) => ({ k: "text", text }), begins: TEXT }],
  [
    "thinking_delta",
    { member: "thinking", read: (text) => ({ k: "reasoning", text }), begins: THINKING },
  ],
  ["input_json_delta", { member: "partial_json", read: (text) => ({ k: "args", text }) }],
  [
    "signature_delta",
    {
      member: "signature",
      read: (text) => ({ k: "signature", signed: signed(text) }),
      begins: THINKING,
    },
  ],
]);

/** How a block grows; undefined when the event says neither which block nor how. */
export function readDelta(data: JsonObject): DeltaRead | undefined {
  const { index, delta } = data;
  if (typeof index !== "number" || !isObject(delta)) return undefined;
  const { type } = delta;
  const known = typeof type === "string" ? TEXTS.get(type) : undefined;
  const text = known && delta[known.member];
  if (known !== undefined && typeof text === "string") {
    const ext = isPlain(data, 3) && isPlain(delta, 2) ? undefined : extOf(data, known.member);
    return { index, d: known.read(text), ext, begins: known.begins };
  }
  const { citation } = delta;
  if (type === "citations_delta" && isObject(citation)) {
    const d = { k: "citation", citation: readCitation(citation) } as const;
    return { index, d, ext: extOf(data, "citation"), begins: TEXT };
  }
  return { index, d: { k: "raw", data: delta }, ext: extOf(data, undefined), begins: undefined };
}

/** Whether an object has no members beside those that are read: nearly every delta. */
function isPlain(object: JsonObject, count: number): boolean {
  let left = count;
  for (const _ in object) left--;
  return left === 0;
}

function extOf(data: JsonObject, member: string | undefined): Ext | undefined {
  const fields = new OwnFields(data);
  fields.skip("type", "index");
  if (member === undefined) {
    fields.skip("delta");
  } else {
    fields.inner("delta", (inner) => inner.skip("type", member));
  }
  return fields.own();
}
