import { printJson } from "../../wire/exact-json.ts";
import type { Signed } from "../ir/block.ts";
import type { IrEvent } from "../ir/event.ts";
import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";

export interface CallPlace {
  readonly c: number;
  readonly emit: (event: IrEvent) => void;
  /** The number of a new block; whatever grew before it is closed. */
  readonly number: () => number;
}

interface Call {
  /** Undefined until the call has a name: a block without one cannot begin. */
  b: number | undefined;
  id: string | undefined;
  /** Arguments that came before the name. */
  early: string;
  isFreeform: boolean;
}

const LEGACY = "function_call";

/** Puts the fragments of a choice's calls together, however its host numbers them. */
export class CallReader {
  readonly #place: CallPlace;
  readonly #calls = new Map<string, Call>();
  /** Calls whose number another call has taken over. */
  readonly #replaced: Call[] = [];
  #last: Call | undefined;

  constructor(place: CallPlace) {
    this.#place = place;
  }

  /** Ids of the calls so far, by which a proof of one is told from a seal. */
  get ids(): ReadonlySet<string> {
    return new Set(this.#all().flatMap(({ id }) => id ?? []));
  }

  /** The blocks that have begun. */
  get open(): readonly number[] {
    return this.#all().flatMap(({ b }) => b ?? []);
  }

  read(delta: JsonObject): void {
    const list = delta["tool_calls"];
    for (const entry of isList(list) ? list : []) if (isObject(entry)) this.#readCall(entry);
    const legacy = delta[LEGACY];
    if (isObject(legacy)) this.#readLegacy(legacy);
  }

  /** A call that never got a name begins without one, rather than being lost. */
  start(): void {
    for (const call of this.#all()) if (call.b === undefined) this.#begin(call, { name: "" });
  }

  #all(): readonly Call[] {
    return [...this.#replaced, ...this.#calls.values()];
  }

  #readCall(entry: JsonObject): void {
    const id = textOf(entry["id"]) || undefined;
    // Some hosts send an empty `custom` beside every function.
    const isNamed = isObject(entry["function"]);
    const isFreeform = entry["type"] === "custom" || (!isNamed && isObject(entry["custom"]));
    const given = isFreeform ? entry["custom"] : entry["function"];
    const said = isObject(given) ? given : {};
    const name = textOf(said["name"]);
    const call = this.#callOf(entry, { id, name });
    call.id ??= id;
    call.isFreeform ||= isFreeform && call.b === undefined;
    if (name !== "" && call.b === undefined) this.#begin(call, { name, proof: proofOf(entry) });
    this.#grow(call, argsOf(said["arguments"] ?? said["input"]));
  }

  #readLegacy(said: JsonObject): void {
    const call = this.#calls.get(LEGACY) ?? this.#add(LEGACY, undefined);
    const name = textOf(said["name"]);
    if (name !== "" && call.b === undefined) this.#begin(call, { name });
    this.#grow(call, argsOf(said["arguments"]));
  }

  /** By number; by id where there is none; else what has a name is new, and the rest goes on. */
  #callOf(entry: JsonObject, { id, name }: { id: string | undefined; name: string }): Call {
    const { index } = entry;
    if (typeof index === "number") {
      const key = `#${index}`;
      const known = this.#calls.get(key);
      const isOther = known?.id !== undefined && id !== undefined && known.id !== id && name !== "";
      if (known !== undefined && !isOther) return (this.#last = known);
      // Some hosts give every call the number 0.
      if (known !== undefined) this.#replaced.push(known);
      this.#calls.delete(key);
      return this.#add(key, id);
    }
    const known = id === undefined ? undefined : this.#all().find((call) => call.id === id);
    if (known !== undefined) return (this.#last = known);
    if (id === undefined && name === "" && this.#last !== undefined) return this.#last;
    return this.#add(`+${this.#calls.size}`, id);
  }

  #add(key: string, id: string | undefined): Call {
    const call: Call = { b: undefined, id, early: "", isFreeform: false };
    this.#calls.set(key, call);
    return (this.#last = call);
  }

  #begin(
    call: Call,
    { name, proof }: { readonly name: string; readonly proof?: Signed | undefined },
  ) {
    const { c, emit } = this.#place;
    const b = this.#place.number();
    call.b = b;
    const freeform = call.isFreeform ? true : undefined;
    const block = { type: "tool_call", callId: call.id, name, args: "", freeform, proof } as const;
    emit({ t: "block_start", c, b, block });
    this.#grow(call, call.early);
  }

  #grow(call: Call, text: string): void {
    const { c, emit } = this.#place;
    if (text === "") return;
    if (call.b === undefined) call.early += text;
    else emit({ t: "delta", c, b: call.b, d: { k: "args", text } });
  }
}

/** Gemini's proof of a call, as its own OpenAI surface spells it. */
function proofOf(entry: JsonObject): Signed | undefined {
  const extra = entry["extra_content"];
  const google = isObject(extra) ? extra["google"] : undefined;
  const value = isObject(google) ? textOf(google["thought_signature"]) : "";
  return value === "" ? undefined : { value, encoding: "plain", family: "google" };
}

/** Some local engines send the arguments as an object. */
function argsOf(value: Json | undefined): string {
  if (isObject(value)) return printJson(value);
  return textOf(value);
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
