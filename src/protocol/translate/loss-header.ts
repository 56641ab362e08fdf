import type { DialectId } from "../../core/ids.ts";
import type { Loss } from "../ir/loss.ts";

const HEADER_BYTES_MAX = 4096;
/** Room for `, more=` and any count. */
const MORE_BYTES_MAX = 24;
const PATH_BYTES_MAX = 256;
/** What a name in a path may look like; anything else could end the entry, or the header. */
const PLAIN = /^[\w.[\]$*+\-/:@#~=<>]*$/;
const UNSAFE = /[^\w.[\]$*+\-/:@#~=<>]/gu;

/**
 * What was lost, as `L-SEED(seed), L-TOOLIMG-MOVED(messages[4].content[1])`; empty when nothing
 * was. Every byte is safe in a header and in a comment of a stream, whatever a caller named things.
 */
export function lossHeader(losses: readonly Loss[]): string {
  const entries = new Set(losses.map(({ code, path }) => `${code}(${escaped(path)})`));
  let text = "";
  let written = 0;
  for (const entry of entries) {
    const longer = text === "" ? entry : `${text}, ${entry}`;
    const isLast = written + 1 === entries.size;
    if (longer.length > HEADER_BYTES_MAX - (isLast ? 0 : MORE_BYTES_MAX)) break;
    text = longer;
    written++;
  }
  return written === entries.size ? text : `${text}, more=${entries.size - written}`;
}

/** Which way a call was translated, as `anthropic>openai`. */
export function translatedHeader(from: DialectId, to: DialectId): string {
  return `${from}>${to}`;
}

/** Percent-encoded as in a URL; a long path keeps its beginning. */
function escaped(path: string): string {
  const safe = PLAIN.test(path) ? path : percentEncoded(path);
  if (safe.length <= PATH_BYTES_MAX) return safe;
  return `${safe.slice(0, PATH_BYTES_MAX).replace(/%.?$/, "")}~`;
}

function percentEncoded(path: string): string {
  const text = path.slice(0, PATH_BYTES_MAX + 1).toWellFormed();
  return text.replace(UNSAFE, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}
