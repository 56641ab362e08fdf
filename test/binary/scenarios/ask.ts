/** A request in words of no protocol: what a user of any SDK may want to say. */
export interface Ask {
  readonly system?: string;
  readonly turns: readonly Turn[];
  readonly tools?: readonly string[];
  readonly choice?: "required";
  readonly max?: number;
  readonly stop?: readonly string[];
  readonly thinks?: true;
  readonly schema?: object;
  readonly n?: number;
  readonly logprobs?: true;
}
export type Turn =
  | { readonly role: "user"; readonly parts: readonly Part[] }
  | { readonly role: "assistant"; readonly text?: string; readonly calls?: readonly Call[] }
  | { readonly role: "results"; readonly results: readonly ToolResult[] };
export type Part =
  | { readonly text: string; readonly isCached?: true }
  | { readonly image: string }
  | { readonly pdf: string };
export interface Call {
  readonly id: string;
  readonly name: string;
  readonly args: object;
}
export interface ToolResult {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly image?: string;
  readonly isError?: true;
}

/** An answer in words of no protocol. */
export interface Answer {
  readonly text?: string;
  readonly thought?: { readonly text: string; readonly signature: string };
  readonly calls?: readonly Call[];
  readonly stop: "end" | "length" | "stop_sequence" | "tool_call" | "refusal" | "blocked";
  readonly refusal?: string;
  /** An address that supports the whole text. */
  readonly source?: { readonly url: string; readonly title: string };
  readonly logprobs?: readonly (readonly [token: string, logprob: number])[];
  /** A second candidate. */
  readonly other?: string;
  readonly cached?: number;
}
export const COUNTS = { input: 40, output: 20 };

/** What went upstream, as an independent reader of each wire sees it. */
export interface View {
  readonly system: string;
  readonly turns: readonly ViewTurn[];
  readonly tools: readonly string[];
  readonly choice: string | undefined;
  readonly max: number | undefined;
  readonly stop: readonly string[];
  readonly thinks: boolean;
  readonly schema: unknown;
  readonly n: number;
  readonly logprobs: boolean;
}
export interface ViewTurn {
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly images: readonly string[];
  readonly pdfs: readonly string[];
  readonly calls: readonly string[];
  readonly results: readonly ViewResult[];
  readonly isCached: boolean;
}
export interface ViewResult {
  readonly text: string;
  readonly images: readonly string[];
  readonly isError: boolean;
}

/** One protocol, as its vendor's SDK takes it, sends it, and is answered. */
export interface Speech {
  /** The parameters of the SDK's own call; undefined for what it has no words for. */
  bodyOf(ask: Ask, model: string): object | undefined;
  /** `body` is what went over the wire. */
  viewOf(body: unknown): View;
  /** The vendor's answer; undefined for what it has no words for. */
  answerOf(answer: Answer): object | undefined;
  /** The same, streamed. */
  streamOf(answer: Answer): Uint8Array | string | undefined;
}

type Step = string | number;

/** What stands at the end of a path, if it leads anywhere: wires are looked at without types here. */
export function at(value: unknown, ...steps: readonly Step[]): unknown {
  let found = value;
  for (const step of steps) found = (found as Record<Step, unknown> | null | undefined)?.[step];
  return found;
}
export function has(value: unknown, ...steps: readonly Step[]): boolean {
  return at(value, ...steps) !== undefined;
}
/** Empty where there is no list. */
export function list(value: unknown, ...steps: readonly Step[]): readonly unknown[] {
  const found = at(value, ...steps);
  return Array.isArray(found) ? found : [];
}
/** Empty where there is no text. */
export function text(value: unknown, ...steps: readonly Step[]): string {
  const found = at(value, ...steps);
  return typeof found === "string" ? found : "";
}
export function number(value: unknown, ...steps: readonly Step[]): number | undefined {
  const found = at(value, ...steps);
  return typeof found === "number" ? found : undefined;
}

export const WEATHER_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const DESCRIPTION = "The weather in a city.";

export function lines(...frames: readonly (readonly [event: string, data: object])[]): string {
  return frames
    .map(
      ([event, data]) =>
        `${event === "" ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`,
    )
    .join("");
}

/** Two pieces, so that every text is streamed. */
export function halves(text: string): readonly [string, string] {
  const points = [...text];
  const half = points.length >> 1;
  return [points.slice(0, half).join(""), points.slice(half).join("")];
}

const NO_TURN = { text: "", images: [], pdfs: [], calls: [], results: [], isCached: false };

/** A turn out of what is there of it. */
export function turn(role: ViewTurn["role"], said: Partial<ViewTurn>): ViewTurn {
  return { ...NO_TURN, role, ...said };
}

/** Neighbours of one role are one turn: some wires want them apart, some together. */
export function joined(turns: readonly ViewTurn[]): readonly ViewTurn[] {
  const whole: ViewTurn[] = [];
  for (const next of turns) {
    const last = whole.at(-1);
    if (last?.role !== next.role) whole.push(next);
    else {
      whole[whole.length - 1] = {
        role: last.role,
        text: last.text + next.text,
        images: [...last.images, ...next.images],
        pdfs: [...last.pdfs, ...next.pdfs],
        calls: [...last.calls, ...next.calls],
        results: [...last.results, ...next.results],
        isCached: last.isCached || next.isCached,
      };
    }
  }
  return whole;
}

export function dataOf(url: string): string {
  return url.slice(url.indexOf(",") + 1);
}

/** A call told alike, whatever its wire has for arguments. */
export function callText(name: string, args: unknown): string {
  return `${name} ${JSON.stringify(typeof args === "string" ? JSON.parse(args) : args)}`;
}
