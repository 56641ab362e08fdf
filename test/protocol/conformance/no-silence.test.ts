import { describe, expect, test } from "bun:test";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { type Leaf, leavesOf, textsOf, without } from "./leaves.ts";
import {
  haveFixtures,
  PAIRS,
  type RecordedRequest,
  requestsOf,
  SKIPPED,
  translated,
} from "./pairs.ts";
import { FULL } from "./sampling.ts";
import {
  held,
  type Hop,
  isConverted,
  isQuiet,
  SAID_OTHERWISE,
  SAYS_NOTHING,
  WORDS,
} from "./silence-rules.ts";

/** How many leaves of one place and value are taken out one by one. */
const TAKEN_OUT_MAX = FULL ? 1000 : 20;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

describe(`every leaf of a request is carried or reported${SKIPPED}`, () => {
  for (const [from, to] of PAIRS) {
    test(`${from} > ${to}: its value is there`, () => {
      expect(requestsOf(from).flatMap((request) => unsaid(request, { from, to }))).toEqual([]);
    });

    test(`${from} > ${to}: without it something else is asked`, () => {
      const seen = new Map<string, number>();
      const idle = requestsOf(from).flatMap((request) =>
        withoutEffect(request, { from, to }, seen),
      );
      expect(idle).toEqual([]);
    });
  }
});

test.skipIf(!haveFixtures)("every rule about what says nothing holds for something", () => {
  const idle = SAYS_NOTHING.filter((rule) => !held.has(rule));
  expect(idle.map(({ shape, why }) => `${shape}: ${why}`)).toEqual([]);
});

/** Leaves of the caller's body whose value is neither in what was sent nor in the report. */
function unsaid(request: RecordedRequest, { from, to }: Hop): string[] {
  const done = translated(request.body, { from, to, stream: request.stream });
  if (done instanceof Rejection) return []; // Refused with a reason: nothing went anywhere.
  const body: unknown = JSON.parse(decoder.decode(done.body));
  const sent = textsOf(body);
  const whole = [...sent, ...decodedTexts(sent)].join("\u0000");
  return leavesOf(JSON.parse(decoder.decode(request.body)))
    .filter((leaf) => !isSaid(leaf, sent, whole) && !isConverted(leaf, { from, to }))
    .filter((leaf) => !isReported(leaf, done.losses) && !isQuiet(leaf, { from, to }, body))
    .map(({ path, value }) => `${request.name}: ${path} = ${String(value).slice(0, 80)}`);
}

function isSaid({ path, value }: Leaf, sent: ReadonlySet<string>, whole: string): boolean {
  const text = String(value);
  if (SAID_OTHERWISE.test(path) || WORDS.test(text) || text.trim() === "") return true;
  if (sent.has(text) || typeof value !== "string") return sent.has(text);
  if (whole.includes(text)) return true;
  if (/^video\/\w+$/.test(text)) return sent.has(text.slice("video/".length)); // Bedrock's formats.
  const base64 = standard(text);
  if (base64 !== undefined && (sent.has(base64) || whole.includes(decoded(base64)))) return true;
  const parts = [...textsOf(text)].filter((part) => part !== text);
  return parts.length > 0 && parts.every((part) => whole.includes(part));
}

/** Bytes are told in either alphabet, with or without padding. */
function standard(text: string): string | undefined {
  if (!/^[\w+/-]+=*$/.test(text)) return undefined;
  return Buffer.from(text, "base64").toString("base64");
}
/** Bedrock has one layer of base64 more around redacted reasoning, others one less for texts. */
function decoded(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
function decodedTexts(sent: ReadonlySet<string>): string[] {
  return [...sent].filter((text) => /^[\w+/]{16,}=*$/.test(text)).map(decoded);
}

/** Leaves that could be left out of the caller's body without anything being asked otherwise. */
function withoutEffect(request: RecordedRequest, hop: Hop, seen: Map<string, number>): string[] {
  const asked = outcome(request.body, request, hop);
  if (asked === undefined) return [];
  const body: unknown = JSON.parse(decoder.decode(request.body));
  return leavesOf(body).flatMap((leaf) => {
    const place = placeOf(leaf);
    const count = seen.get(place) ?? 0;
    if (count >= TAKEN_OUT_MAX || isReported(leaf, asked.losses)) return [];
    if (isQuiet(leaf, hop, asked.body)) return [];
    seen.set(place, count + 1);
    const rest = outcome(encoder.encode(JSON.stringify(without(body, leaf))), request, hop);
    const isSame = rest !== undefined && rest.told === asked.told;
    return isSame ? [`${request.name}: ${leaf.path} = ${String(leaf.value).slice(0, 80)}`] : [];
  });
}

/** A free text is as good as another, what stands in a caller's own schema or data too. */
function placeOf({ shape, value }: Leaf): string {
  const place = shape.replace(/(schema|parameters|json|input|args|response|metadata)\..*/i, "$1");
  return `${place}=${String(value).length > 14 ? "" : value}`;
}

interface Outcome {
  readonly body: unknown;
  /** The body that was sent, and what was said about it. */
  readonly told: string;
  readonly losses: readonly Loss[];
}
function outcome(
  body: Uint8Array<ArrayBuffer>,
  { stream }: RecordedRequest,
  { from, to }: Hop,
): Outcome | undefined {
  const done = translated(body, { from, to, stream });
  if (done instanceof Rejection) return undefined;
  const sent = decoder.decode(done.body);
  const told = sent + JSON.stringify(done.losses);
  return { body: JSON.parse(sent), told, losses: done.losses };
}

function isReported({ path }: Leaf, losses: readonly Loss[]): boolean {
  const place = camel(path);
  return losses.some(({ path: lost }) => {
    const at = camel(lost);
    return place === at || place.startsWith(`${at}.`) || place.startsWith(`${at}[`);
  });
}

/** Gemini's server takes both spellings of its fields; a report is in one. */
function camel(path: string): string {
  return path.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
