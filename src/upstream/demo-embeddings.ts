import { answerJson, type DemoBody, positive, refuse } from "./demo-body.ts";
import { countWords, DEMO_MODEL } from "./demo-text.ts";

const DIMENSIONS = 8;
const DIMENSIONS_MAX = 2048;

/** `POST /embeddings`: the same input gives the same unit vector. It means nothing. */
export function answerEmbeddings(body: DemoBody): Response {
  const inputs = inputsOf(body["input"]);
  if (inputs === undefined) {
    return refuse(400, "input must be a text, a list of texts or token numbers.", "input");
  }
  const dimensions = positive(body, "dimensions") ?? DIMENSIONS;
  if (dimensions > DIMENSIONS_MAX) {
    return refuse(400, `dimensions must be at most ${DIMENSIONS_MAX}.`, "dimensions");
  }
  const inBase64 = body["encoding_format"] === "base64";
  const data = inputs.map((input, index) => {
    const vector = vectorOf(input, dimensions);
    const embedding = inBase64 ? vector.toBase64() : [...new Float32Array(vector.buffer)];
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, input) => sum + tokensOf(input), 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return answerJson({ object: "list", data, model: DEMO_MODEL, usage });
}

type Input = string | readonly number[];

/** The texts or token lists to embed; undefined when it is neither. */
function inputsOf(input: unknown): readonly Input[] | undefined {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input) || input.length === 0) return undefined;
  const list: readonly unknown[] = input;
  if (list.every((one) => typeof one === "string")) return list;
  if (isTokens(list)) return [list];
  return list.every(isTokens) ? list : undefined;
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "number");
}

function tokensOf(input: Input): number {
  return typeof input === "string" ? countWords(input) : input.length;
}

/** Little-endian 32-bit floats, which is also what the base64 form is made of. */
function vectorOf(input: Input, dimensions: number): Uint8Array<ArrayBuffer> {
  let state = fnv1a(typeof input === "string" ? input : input.join(" "));
  const numbers = Float32Array.from({ length: dimensions }, () => {
    state = xorshift(state);
    return state / 2 ** 31 - 1;
  });
  const length = Math.hypot(...numbers);
  return new Uint8Array(numbers.map((number) => number / length).buffer);
}

/** FNV-1a, 32 bits, over UTF-16 units: draft-eastlake-fnv. Never 0, where xorshift would stay. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0 || 1;
}

/** Marsaglia's xorshift, 32 bits: "Xorshift RNGs", 2003. */
function xorshift(state: number): number {
  let next = state ^ (state << 13);
  next ^= next >>> 17;
  return (next ^ (next << 5)) >>> 0;
}
