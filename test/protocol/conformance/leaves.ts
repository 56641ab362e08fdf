/** One value at the end of a path of a JSON document. */
export interface Leaf {
  readonly steps: readonly Step[];
  /** As `messages[4].content[1].text`. */
  readonly path: string;
  /** The path without its numbers: `messages[].content[].text`. */
  readonly shape: string;
  /** The last name of it. */
  readonly name: string;
  readonly value: string | number | boolean;
}
type Step = string | number;

export function leavesOf(value: unknown, steps: readonly Step[] = []): Leaf[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => leavesOf(item, [...steps, index]));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => leavesOf(item, [...steps, key]));
  }
  const isLeaf =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return isLeaf ? [leafAt(steps, value)] : [];
}

function leafAt(steps: readonly Step[], value: Leaf["value"]): Leaf {
  const path = steps
    .map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join("");
  const name = steps.findLast((step) => typeof step === "string") ?? "";
  return { steps, path, shape: path.replaceAll(/\[\d+\]/g, "[]"), name, value };
}

/** The document without one of its leaves: a member is gone, a list is shorter. */
export function without<T>(document: T, { steps }: Leaf): T {
  const copy = structuredClone(document);
  const [holder, last] = holderOf(copy, steps);
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete (holder as Record<Step, unknown>)[last];
  return copy;
}

/** The document with something else in the place of a leaf. */
export function withLeaf<T>(document: T, { steps }: Leaf, value: unknown): T {
  const copy = structuredClone(document);
  const [holder, last] = holderOf(copy, steps);
  (holder as Record<Step, unknown>)[last] = value;
  return copy;
}

function holderOf(document: unknown, steps: readonly Step[]): readonly [object, Step] {
  let holder = document as Record<Step, unknown>;
  for (const step of steps.slice(0, -1)) holder = holder[step] as Record<Step, unknown>;
  return [holder, steps.at(-1)!];
}

/** Every text of a document, the texts inside JSON texts (tool arguments) and data URLs too. */
export function textsOf(value: unknown): Set<string> {
  const texts = new Set<string>();
  for (const { value: leaf } of leavesOf(value)) {
    texts.add(String(leaf));
    if (typeof leaf !== "string") continue;
    const data = /^data:[^,]*;base64,(.*)$/s.exec(leaf)?.[1];
    if (data !== undefined) texts.add(data);
    for (const inner of leavesOf(parsed(leaf))) texts.add(String(inner.value));
  }
  return texts;
}

function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A text that only looks like JSON.
  }
}
