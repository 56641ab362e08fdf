import type { Chunk } from "../../../src/core/units.ts";

/** What a tap must have learnt of a stream. */
export interface Learnt {
  readonly complete: boolean;
  readonly isFault: boolean;
  readonly eventCount: number;
  readonly usage:
    readonly [input: number, output: number, cached: number, thought: number] | undefined;
  readonly id: string | undefined;
  readonly model: string | undefined;
}

/** The tap by the slow way: split as text, parse every event, walk it. Nothing of ours is in it. */
export function slowTap(body: Chunk): Learnt {
  const all = eventsOf(body);
  const endAt = all.findIndex(({ data }) => get(parse(data), "type") === "message_stop");
  const read = endAt < 0 ? all : all.slice(0, endAt + 1);
  const parsed = read.map(({ data }) => parse(data));
  const starts = parsed.filter((event) => get(event, "type") === "message_start");
  const messages = starts.map((event) => get(event, "message"));
  const isFault =
    starts.length > 1 ||
    read.some(({ name, whole }) => name === "error" && whole) ||
    parsed.some((event) => get(event, "type") === "error" || Boolean(get(event, "error")));
  return {
    complete: endAt >= 0,
    isFault,
    eventCount: all.filter(({ whole }) => whole).length,
    usage: usageOf(
      parsed.flatMap((event) => {
        const isStart = get(event, "type") === "message_start";
        return [get(event, "usage"), isStart ? get(get(event, "message"), "usage") : undefined];
      }),
    ),
    id: firstText(messages, "id"),
    model: firstText(messages, "model"),
  };
}

/** Bytes of text in all events: what a full parse says was generated. */
export function slowTextBytes(body: Chunk): number {
  let text = "";
  for (const { data } of eventsOf(body)) {
    const event = parse(data);
    const place = get(event, "delta") ?? get(event, "content_block");
    for (const name of ["text", "thinking", "partial_json"]) {
      const value = get(place, name);
      if (typeof value === "string") text += value;
    }
  }
  return Buffer.byteLength(text);
}

interface Event {
  readonly name: string;
  readonly data: string;
  /** Its blank line came. */
  readonly whole: boolean;
}

function eventsOf(body: Chunk): Event[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body).replace(/^\ufeff/, "");
  const blocks = text.replace(/\r\n|\r/g, "\n").split(/(?<=^|\n)\n/);
  return blocks.flatMap((block, at) => {
    const fields = block.split("\n").map((line) => /^([^:]*)(?:: ?)?([^]*)$/.exec(line)!);
    const values = (name: string) => fields.filter((one) => one[1] === name).map((one) => one[2]!);
    if (values("data").length === 0) return [];
    const whole = at < blocks.length - 1;
    return [{ name: values("event").at(-1) ?? "", data: values("data").join("\n"), whole }];
  });
}

/** Of each count the last one said: protocols.md §4.3. */
function usageOf(said: readonly unknown[]): Learnt["usage"] {
  const last = (...path: string[]) =>
    said.map((usage) => path.reduce(get, usage)).findLast(isCount) as number | undefined;
  const [input, output] = [last("input_tokens"), last("output_tokens")];
  if (input === undefined && output === undefined) return undefined;
  const cached = last("cache_read_input_tokens") ?? 0;
  const total = (input ?? 0) + cached + (last("cache_creation_input_tokens") ?? 0);
  return [total, output ?? 0, cached, last("output_tokens_details", "thinking_tokens") ?? 0];
}

function firstText(values: readonly unknown[], name: string): string | undefined {
  const texts = values.map((value) => get(value, name));
  return texts.find((text) => typeof text === "string" && text !== "") as string | undefined;
}
function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1e9;
}
function get(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name] ?? undefined;
}
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: an event that says nothing.
  }
}
