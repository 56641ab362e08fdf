import { printJson } from "../../wire/exact-json.ts";
import type { IrEvent } from "../ir/event.ts";
import { compact, isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import { choiceIndex } from "./read-stream.ts";
import { ownExt } from "./rest.ts";
import { spellingOf } from "./spelling.ts";

interface Leaf {
  readonly c: number;
  /** The member of the delta it stood in. */
  readonly member: string;
  readonly text: string;
}

/** Puts the chunks of this wire together again: what was read of one comes before its `meta`. */
export class OwnStream {
  /** Where a block of reasoning stood, by candidate and number. */
  readonly #slots = new Map<string, string>();
  #leaves: Leaf[] = [];
  #usage: JsonObject | undefined;

  /** The frames that `event` completes. */
  write(event: IrEvent): string {
    switch (event.t) {
      case "block_start": {
        const { slot } = spellingOf(event.block);
        if (slot !== undefined) this.#slots.set(`${event.c}/${event.b}`, slot);
        return "";
      }
      case "delta":
        this.#add(event);
        return "";
      case "usage":
        this.#usage = event.usage.raw.openai;
        return "";
      case "meta":
        return this.#chunk(ownExt(event));
      case "raw":
        return event.from === "openai" ? dataFrame(event.data) : "";
      case "error": {
        const said = ownExt(event);
        return said === undefined ? "" : dataFrame(said);
      }
      case "end":
        return "data: [DONE]\n\n";
      case "start":
      case "block_stop":
      case "stop":
      case "ping":
        return "";
    }
  }

  #add({ c, b, d }: Extract<IrEvent, { t: "delta" }>): void {
    switch (d.k) {
      case "text":
        this.#leaves.push({ c, member: "content", text: d.text });
        break;
      case "refusal":
        this.#leaves.push({ c, member: "refusal", text: d.text });
        break;
      case "reasoning": {
        const member = this.#slots.get(`${c}/${b}`);
        if (member !== undefined) this.#leaves.push({ c, member, text: d.text });
        break;
      }
      default: // The rest of the chunk has it.
    }
  }

  #chunk(rest: JsonObject | undefined): string {
    const leaves = this.#leaves;
    const usage = this.#usage;
    this.#leaves = [];
    this.#usage = undefined;
    if (rest === undefined) return "";
    const { choices } = rest;
    const said = isList(choices)
      ? choices.map((choice, position) => withLeaves(choice, position, leaves))
      : choices;
    const own = usage !== undefined && !isElsewhere(usage, rest) ? usage : undefined;
    return dataFrame(compact({ choices: said, usage: own }, rest));
  }
}

function withLeaves(choice: Json, position: number, leaves: readonly Leaf[]): Json {
  if (!isObject(choice) || !isObject(choice["delta"])) return choice;
  const c = choiceIndex(choice, position);
  const delta = choice["delta"];
  const members: Record<string, Json> = {};
  for (const leaf of leaves) {
    const { member, text } = leaf;
    if (leaf.c === c && delta[member] === undefined) members[member] = text;
  }
  return compact({ delta: compact(members, delta) }, choice);
}

/** Groq and Moonshot have usage in places of their own, where it still stands. */
function isElsewhere(usage: JsonObject, rest: JsonObject): boolean {
  const [first] = isList(rest["choices"]) ? rest["choices"] : [];
  return [rest["x_groq"], first].some((place) => isObject(place) && place["usage"] === usage);
}

/** One event of a stream. */
export function dataFrame(value: Json): string {
  return `data: ${printJson(value)}\n\n`;
}
