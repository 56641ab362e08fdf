// What the bench sends and what its mock answers: fixed bytes, so that both can be checked.

/** Deltas with text in one streamed answer. */
export const DELTA_COUNT = 64;
/** The name the mock knows its model by, when a gateway renames it on the way. */
export const UPSTREAM_MODEL = "bench-upstream";

/** How a paced stream runs; it travels in the prompt, which every gateway passes on. */
export interface Pace {
  readonly events: number;
  readonly gapMs: number;
}

export interface Ask {
  readonly model: string;
  readonly stream: boolean;
  /** Ask for the usage chunk of a stream, as few clients do. */
  readonly usage: boolean;
  readonly pace: Pace | undefined;
}

const CREATED = 1_760_000_000;
const SYSTEM =
  "You are a careful assistant for a railway operator. Answer in one short paragraph, name the " +
  "document each statement rests on, and say so plainly when the documents do not settle it.";
const PROMPT =
  "A driver passes a signal at caution and the next one is at danger. The block behind is " +
  "occupied, the points ahead are set and locked for the diverging track, and the crossing is " +
  "open to road traffic. Which movements may the signaller still set? ";
/** What the buffered answer says. */
export const ANSWER_TEXT =
  "None that share the locked points. The route behind stays held until the block clears, and " +
  "the crossing has to be closed and proven before any signal over it can show proceed.";

/** A request of about 1.5 KB, as chat applications send them. */
export function askBody({ model, stream, usage, pace }: Ask): string {
  const mark = pace === undefined ? "" : `pace=${pace.events}x${pace.gapMs};`;
  return JSON.stringify({
    model,
    messages: [
      { role: "system", content: SYSTEM },
      { role: "user", content: mark + PROMPT.repeat(4) },
    ],
    temperature: 0.2,
    max_tokens: 256,
    ...(stream && { stream: true }),
    ...(stream && usage && { stream_options: { include_usage: true } }),
  });
}

/** The streamed answer asked for in a prompt; undefined when it names none. */
export function readPace(body: Buffer): Pace | undefined {
  const at = body.indexOf("pace=");
  if (at < 0) return undefined;
  const found = /^pace=(\d{1,9})x(\d{1,6});/.exec(body.toString("latin1", at, at + 24));
  return found === null ? undefined : { events: Number(found[1]), gapMs: Number(found[2]) };
}

const USAGE = { prompt_tokens: 312, completion_tokens: DELTA_COUNT, total_tokens: 376 };

/** The buffered answer, about 500 bytes. */
export const BUFFERED_ANSWER: string = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: CREATED,
  model: UPSTREAM_MODEL,
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: ANSWER_TEXT },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: USAGE,
});

function streamFrame(choices: readonly unknown[], usage: typeof USAGE | null): string {
  const chunk = {
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: CREATED,
    model: UPSTREAM_MODEL,
    choices,
    usage,
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** One event that carries `text`. */
export function deltaFrame(text: string): string {
  const delta = { role: "assistant", content: text };
  return streamFrame([{ index: 0, delta, finish_reason: null }], null);
}

const FINISH = streamFrame([{ index: 0, delta: {}, finish_reason: "stop" }], null);
const DONE = "data: [DONE]\n\n";
/** The last events of a stream whose caller asked for usage: finish reason, usage, end marker. */
export const CLOSING_FRAMES: readonly string[] = [FINISH, streamFrame([], USAGE), DONE];

function deltaText(index: number): string {
  return ` word${String(index).padStart(2, "0")}`;
}

/** The text of each delta, for a reader whose stream was written again by a gateway. */
export const DELTA_TEXTS: readonly string[] = Array.from({ length: DELTA_COUNT }, (_, index) =>
  deltaText(index),
);
const DELTAS = DELTA_TEXTS.map(deltaFrame);

/** Every event of the streamed answer that is not paced, in order. */
export const STREAM_FRAMES: readonly string[] = [...DELTAS, ...CLOSING_FRAMES];
/** The same for a caller who did not ask for usage. */
export const BARE_FRAMES: readonly string[] = [...DELTAS, FINISH, DONE];

/** What precedes the moment of sending in a paced event. */
export const STAMP_MARK = "sent=";
const STAMP_DIGITS = 16;

/**
 * Microseconds on a clock all processes of a machine share: `Bun.nanoseconds` alone counts from
 * each one's own start. An error in that start is the same for every contender and cancels.
 */
export function machineMicros(): number {
  return Math.round(performance.timeOrigin * 1000 + Bun.nanoseconds() / 1000);
}

/** A paced event says when it was sent. */
export function stampedFrame(): string {
  return deltaFrame(STAMP_MARK + String(machineMicros()).padStart(STAMP_DIGITS, "0"));
}

/** The moments named in a piece of a stream, and the end of the last one. */
export function readStamps(text: string): {
  readonly sent: readonly number[];
  readonly end: number;
} {
  const sent: number[] = [];
  let end = 0;
  for (let at = text.indexOf(STAMP_MARK); at >= 0; at = text.indexOf(STAMP_MARK, end)) {
    const from = at + STAMP_MARK.length;
    if (text.length < from + STAMP_DIGITS) break;
    end = from + STAMP_DIGITS;
    sent.push(Number(text.slice(from, end)));
  }
  return { sent, end };
}
