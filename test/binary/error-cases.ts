import { readFileSync } from "node:fs";
import { STATUS_CODES } from "node:http";
import type { ErrorClass } from "../../src/protocol/wire-error.ts";
import { fixture, haveRecordings } from "../faultd/recordings.ts";
import type { Answer } from "../faultd/script.ts";
import { exchangesOf, played, type Surface, SURFACES } from "./exchanges.ts";

/** One error answer of a vendor. */
export interface ErrorCase {
  readonly name: string;
  readonly surface: Surface;
  readonly status: number;
  readonly text: string;
  readonly script: Answer;
  readonly judged: Judged;
}

/**
 * Whose fault an error is, read by a person: protocols.md 6.3. The caller's is told to the caller;
 * of everybody else's we say what they mean for the caller, in our own words.
 */
export type Judged =
  | { readonly fault: "caller"; readonly class: ErrorClass }
  | { readonly fault: "other"; readonly class: "rate_limit" | "overloaded" | "bad_upstream" };

const caller = (kind: ErrorClass): Judged => ({ fault: "caller", class: kind });
const RATE: Judged = { fault: "other", class: "rate_limit" };
const OVERLOADED: Judged = { fault: "other", class: "overloaded" };
/** A credential, an account, a region: nothing a caller can mend. */
const OURS: Judged = { fault: "other", class: "bad_upstream" };

/** Statuses whose words are about the operator's account: reliability.md 3.3, rows 14 and 15. */
export const OF_ACCOUNT: readonly number[] = [401, 402, 403, 429];

/** The rows of protocols.md 6.3, the more special first. */
const RULES: readonly (readonly [RegExp, Judged])[] = [
  [/"Request too large for/, caller("request_too_large")],
  [/Incorrect API key|API_KEY_INVALID|ExpiredToken|security token.*expired/, OURS],
  [/SERVICE_DISABLED|has not been used in project|"message": ?"User location is not/, OURS],
  [/credit balance is too low|insufficient_quota|current quota|Balance|tokens per day/, OURS],
  [/Maximum billing reached/, OURS],
  [/capacity exceeded/, OVERLOADED],
  [/content management policy/, caller("content_filter")],
  [
    /context length|context limit|context size|context window|messages is too long/,
    caller("context_length"),
  ],
  [/Input Tokens Exceeded/, caller("context_length")],
  [
    /model_not_found|not found for API version|"model: |Publisher Model .* not found/,
    caller("model_not_found"),
  ],
  [/tool_use_failed/, caller("bad_upstream")],
];

function judge(status: number, text: string): Judged {
  const found = RULES.find(([words]) => words.test(text))?.[1];
  if (found !== undefined && status < 500) return found;
  switch (status) {
    case 401:
    case 402:
    case 403:
      return OURS;
    case 404:
      return caller("not_found");
    case 429:
      return RATE;
    case 499:
      return caller("cancelled");
    case 503:
    case 529:
      return OVERLOADED;
  }
  return status < 500 ? caller("invalid_request") : OURS;
}

/** Every recorded answer of 300 and above, and every documented one that is no stream. */
export function errorCases(): readonly ErrorCase[] {
  return [...recorded(), ...documented()];
}

function recorded(): ErrorCase[] {
  return SURFACES.flatMap((surface) =>
    exchangesOf(surface)
      .filter(({ status }) => status >= 300)
      .map((exchange) => {
        const { name, status } = exchange;
        const text = Buffer.from(exchange.response).toString();
        const reason = STATUS_CODES[status] ?? ""; // Google's SDK reads it.
        const script = { ...played(exchange), reason, framing: "content-length" as const };
        return { name, surface, status, text, script, judged: judge(status, text) };
      }),
  );
}

interface Documented {
  readonly protocol: string;
  readonly provider: string;
  readonly status: number;
  readonly where: string;
  readonly kind: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object | string;
}

const SURFACE_OF: Readonly<Record<string, Surface>> = {
  "openai-chat": "openai",
  "openai-responses": "responses",
  "bedrock-converse": "bedrock",
  "bedrock-invoke": "invoke",
  anthropic: "anthropic",
  gemini: "gemini",
  cohere: "cohere",
};

/** The documented errors, as they stand in their file. */
export function documentedErrors(
  where: string,
): readonly (Documented & { readonly surface: Surface })[] {
  if (!haveRecordings) return [];
  const all: Documented[] = JSON.parse(
    readFileSync(fixture("errors-documented/errors.json"), "utf8"),
  );
  return all
    .filter((one) => one.where === where)
    .map((one) => ({ ...one, surface: SURFACE_OF[one.protocol]! }));
}

function documented(): ErrorCase[] {
  return documentedErrors("buffered").map(({ surface, provider, status, kind, headers, body }) => {
    const text = JSON.stringify(body);
    const given = Object.entries(headers).filter(([name]) => name !== "content-type");
    const script: Answer = {
      status,
      headers: [["content-type", "application/json"], ...given],
      body: text,
    };
    const name = `documented ${provider} ${status} ${kind}`;
    return { name, surface, status, text, script, judged: judge(status, text) };
  });
}
