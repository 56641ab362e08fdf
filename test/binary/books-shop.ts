import { type Faultd, startFaultd } from "../faultd/faultd.ts";
import { eventStream, type Gate, gate, json, type Script } from "../faultd/script.ts";

/** What an answer says was used: every input token once. */
export interface Sold {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly cacheWriteLong: number;
}

/** What becomes of a request upstream; `held` stops in the middle until it is let go. */
export const FATES = ["whole", "stream", "held", "cut", "error", "refused", "mad"] as const;
export type Fate = (typeof FATES)[number];
export type Wire = "openai" | "anthropic";

export interface Order {
  readonly id: string;
  readonly wire: Wire;
  readonly fate: Fate;
}

/** An upstream of both wires that does with each request as its name says, and remembers it. */
export interface Shop extends Disposable {
  readonly faultd: Faultd;
  /** The names of all requests it got, and how often each came. */
  readonly seen: ReadonlyMap<string, number>;
  /** Lets what is held go on, and what is asked for later be held anew. */
  letGo(): void;
  /** Resolves once something is held. */
  readonly holds: Promise<void>;
}

const NAME = /book-(\d+)-([a-z]+)-([a-z]+)/;

export function nameOf(number: number, { wire, fate }: Omit<Order, "id">): string {
  return `book-${number}-${wire}-${fate}`;
}

/** What a request is sold for, by its name alone. */
export function soldFor(id: string): Sold {
  const [, number, wire] = NAME.exec(id) ?? [];
  const at = Number(number);
  const cacheRead = (at * 31) % 40;
  const cacheWrite = wire === "anthropic" ? (at * 17) % 50 : 0;
  const fresh = 1 + ((at * 7919) % 500);
  return {
    input: fresh + cacheRead + cacheWrite,
    output: 1 + ((at * 104_729) % 300),
    ...{ cacheRead, cacheWrite, cacheWriteLong: cacheWrite % 20 },
  };
}

export function startShop(): Shop {
  const seen = new Map<string, number>();
  let held = gate();
  const faultd = startFaultd((request) => {
    const [id, , wire, fate] = NAME.exec(request.text) ?? [];
    if (id === undefined) return { raw: "", then: "rst" };
    seen.set(id, (seen.get(id) ?? 0) + 1);
    return scriptOf({ id, wire: wire as Wire, fate: fate as Fate }, held);
  });
  return {
    faultd,
    seen,
    get holds() {
      return held.reached;
    },
    letGo() {
      held.open();
      held = gate();
      faultd.forget();
    },
    [Symbol.dispose]: () => {
      held.open();
      faultd.stop();
    },
  };
}

function scriptOf({ id, wire, fate }: Order, held: Gate): Script {
  const sold = soldFor(id);
  switch (fate) {
    case "whole":
      return json(wire === "openai" ? openaiWhole(id, sold) : anthropicWhole(id, sold));
    case "mad":
      return json(openaiWhole(id, { ...sold, input: -5, output: 1e300 }));
    case "error":
      return json({ error: { message: "down" } }, { status: 500 });
    case "refused":
      return json({ error: { message: "no", type: "invalid_request_error" } }, { status: 400 });
    case "stream":
    case "held":
    case "cut": {
      const { begin, rest } =
        wire === "openai" ? openaiStream(id, sold) : anthropicStream(id, sold);
      const at = Buffer.byteLength(begin);
      if (fate === "cut") return eventStream(begin + rest, { cut: { at, how: "fin" } });
      const gates = new Map(fate === "held" ? [[at, held] as const] : []);
      return eventStream(begin + rest, { gates, chunking: "event" });
    }
  }
}

function openaiWhole(id: string, sold: Sold): object {
  const message = { role: "assistant", content: "sold" };
  return {
    ...{ id, object: "chat.completion", created: 1, model: "m" },
    choices: [{ index: 0, message, finish_reason: "stop" }],
    usage: openaiUsage(sold),
  };
}

function openaiUsage({ input, output, cacheRead }: Sold): object {
  return {
    ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    prompt_tokens_details: { cached_tokens: cacheRead },
  };
}

interface Pieces {
  readonly begin: string;
  readonly rest: string;
}

function openaiStream(id: string, sold: Sold): Pieces {
  const event = (delta: object, finish_reason: string | null, usage?: object): string => {
    const choices = [{ index: 0, delta, finish_reason }];
    const head = { id, object: "chat.completion.chunk", created: 1, model: "m" };
    return `data: ${JSON.stringify({ ...head, choices, ...(usage && { usage }) })}\n\n`;
  };
  return {
    begin: event({ role: "assistant", content: "so" }, null) + event({ content: "ld " }, null),
    rest: `${event({ content: "out" }, null)}${event({}, "stop", openaiUsage(sold))}data: [DONE]\n\n`,
  };
}

function anthropicWhole(id: string, sold: Sold): object {
  return {
    ...{ id: `msg_${id}`, type: "message", role: "assistant", model: "claude-sonnet-4-5" },
    content: [{ type: "text", text: "sold" }],
    ...{ stop_reason: "end_turn", stop_sequence: null, usage: anthropicUsage(sold) },
  };
}

function anthropicUsage({ input, output, cacheRead, cacheWrite, cacheWriteLong }: Sold): object {
  return {
    input_tokens: input - cacheRead - cacheWrite,
    output_tokens: output,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheWrite,
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite - cacheWriteLong,
      ephemeral_1h_input_tokens: cacheWriteLong,
    },
  };
}

function anthropicStream(id: string, sold: Sold): Pieces {
  const event = (type: string, rest: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
  const message = { ...anthropicWhole(id, { ...sold, output: 1 }), content: [], stop_reason: null };
  const text = (said: string): string =>
    event("content_block_delta", { index: 0, delta: { type: "text_delta", text: said } });
  const block = { type: "text", text: "" };
  return {
    begin:
      event("message_start", { message }) +
      event("content_block_start", { index: 0, content_block: block }) +
      text("so"),
    rest: [
      text("ld"),
      event("content_block_stop", { index: 0 }),
      event("message_delta", {
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: sold.output },
      }),
      event("message_stop", {}),
    ].join(""),
  };
}
