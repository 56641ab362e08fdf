import { ANSWER_TEXT, BARE_FRAMES, BUFFERED_ANSWER } from "./payload.ts";
import { DELTA_TEXTS, STREAM_FRAMES } from "./payload.ts";

/**
 * What a request asks for; each kind is checked in its own way. A `bare` stream does not ask for
 * usage: a gateway that counts must then ask by itself, and keep the extra chunk to itself.
 */
export type AskKind = "buffered" | "streamed" | "bare" | "paced";

/** An answer is right byte for byte, right in meaning, or wrong; only the wrong are failures. */
export type Verdict = "equal" | "rewritten" | "wrong";

const BUFFERED_BYTES = Buffer.from(BUFFERED_ANSWER);
const STREAM_BYTES = Buffer.from(STREAM_FRAMES.join(""));
const BARE_BYTES = Buffer.from(BARE_FRAMES.join(""));

/** Judges a whole answer's body. A gateway may write it anew, but may lose nothing of it. */
export function judge(kind: Exclude<AskKind, "paced">, body: Buffer): Verdict {
  if (kind === "buffered") {
    if (body.equals(BUFFERED_BYTES)) return "equal";
    return contentOf(body) === ANSWER_TEXT ? "rewritten" : "wrong";
  }
  if (body.equals(kind === "bare" ? BARE_BYTES : STREAM_BYTES)) return "equal";
  const whole = saysEveryDelta(body) && endsWithDone(body);
  const counted = kind === "bare" || body.includes('"completion_tokens"');
  return whole && counted ? "rewritten" : "wrong";
}

/** What the assistant said in an answer that was written anew; undefined when it is none. */
function contentOf(body: Buffer): string | undefined {
  try {
    const { choices } = JSON.parse(body.toString()) as Partial<ChatAnswer>;
    return choices?.[0]?.message?.content;
  } catch {
    return undefined; // Not JSON: the caller's verdict is "wrong".
  }
}
interface ChatAnswer {
  readonly choices: readonly { readonly message?: { readonly content?: string } }[];
}

function saysEveryDelta(body: Buffer): boolean {
  let at = 0;
  for (const text of DELTA_TEXTS) {
    at = body.indexOf(text, at);
    if (at < 0) return false;
  }
  return true;
}

/** The terminal event of an OpenAI stream stands last, whatever line ends the gateway writes. */
export function endsWithDone(body: Buffer): boolean {
  return body.subarray(-24).toString("latin1").trimEnd().endsWith("data: [DONE]");
}

/** True once a whole event with data is there; a leading comment is none. */
export function hasFirstEvent(body: Buffer): boolean {
  const data = body.indexOf("data:");
  return data >= 0 && (body.indexOf("\n\n", data) > 0 || body.indexOf("\r\n\r\n", data) > 0);
}
