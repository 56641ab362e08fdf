import { isList, isObject } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";

/** More places in a list than arguments have; a path beyond is not followed. */
const INDEX_MAX = 10_000;
/** Deeper than arguments go. */
const STEPS_MAX = 64;
const STEP = /\.([^.[\]]+)|\[(\d{1,5})\]|\['([^']*)'\]|\["([^"]*)"\]/y;

type Growing = { [name: string]: Growing | Json } | (Growing | Json)[];

/**
 * Arguments that Vertex sends in pieces when asked for `streamFunctionCallArguments`: each piece is
 * one scalar and its JSON path (the SDK's `PartialArg`), a string in several pieces maybe.
 */
export class PartialArgs {
  readonly #root: Growing = Object.create(null);
  /** The path of the string that goes on in the next piece. */
  #open: string | undefined;

  add(pieces: Json | undefined): void {
    if (!isList(pieces)) return;
    for (const piece of pieces) if (isObject(piece)) this.#addPiece(piece);
  }

  get value(): JsonObject {
    return this.#root as JsonObject;
  }

  #addPiece(piece: JsonObject): void {
    const { jsonPath } = piece;
    if (typeof jsonPath !== "string") return;
    const steps = stepsOf(jsonPath);
    const last = steps?.at(-1);
    if (steps === undefined || last === undefined) return;
    const holder = this.#holderOf(steps);
    if (holder === undefined) return;
    const known = get(holder, last);
    const value = scalarOf(piece);
    const goesOn = this.#open === jsonPath && typeof known === "string";
    set(holder, last, goesOn && typeof value === "string" ? known + value : value);
    this.#open = piece["willContinue"] === true ? jsonPath : undefined;
  }

  /** The container of a path's last step, made where it is missing. */
  #holderOf(steps: readonly (string | number)[]): Growing | undefined {
    let at: Growing = this.#root;
    for (const [index, step] of steps.slice(0, -1).entries()) {
      let next = get(at, step);
      if (typeof next !== "object" || next === null) {
        next = typeof steps[index + 1] === "number" ? [] : (Object.create(null) as Growing);
        if (!set(at, step, next)) return undefined;
      }
      at = next as Growing;
    }
    return Array.isArray(at) === (typeof steps.at(-1) === "number") ? at : undefined;
  }
}

function get(holder: Growing, step: string | number): Growing | Json | undefined {
  if (Array.isArray(holder)) return typeof step === "number" ? holder[step] : undefined;
  return typeof step === "string" ? holder[step] : undefined;
}

/** A list grows at its end only: a path may not make one of holes. */
function set(holder: Growing, step: string | number, value: Growing | Json): boolean {
  if (Array.isArray(holder)) {
    if (typeof step !== "number" || step > holder.length || step >= INDEX_MAX) return false;
    holder[step] = value;
  } else {
    if (typeof step !== "string") return false;
    holder[step] = value;
  }
  return true;
}

function scalarOf(piece: JsonObject): Json {
  const { stringValue, numberValue, boolValue } = piece;
  return stringValue ?? numberValue ?? boolValue ?? null;
}

/** `$.a[0]['b c']` as its steps; undefined for a path of another form. */
function stepsOf(path: string): (string | number)[] | undefined {
  if (!path.startsWith("$")) return undefined;
  const steps: (string | number)[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const found = STEP.exec(path);
    if (found === null || steps.length === STEPS_MAX) return undefined;
    const [, name, index, single, double] = found;
    steps.push(index === undefined ? (name ?? single ?? double ?? "") : Number(index));
  }
  return steps;
}
