import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../src/core/ids.ts";
import { Rejection } from "../../../src/core/rejection.ts";
import type { Loss } from "../../../src/protocol/ir/loss.ts";
import { at, list, text } from "../../binary/scenarios/ask.ts";
import { SPEECHES } from "../../binary/scenarios/scenarios.ts";
import { PAIRS, type RecordedRequest, requestsOf, SKIPPED, translated } from "./pairs.ts";
import { DRAWN, FULL, some } from "./sampling.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const REQUESTS = FULL ? Number.POSITIVE_INFINITY : 25;
const UNKNOWN = "zz_unknown";
/** Where each wire lists its turns, what a turn holds, and its tools. */
const PLACES: Readonly<Record<DialectId, Places>> = {
  openai: { turns: ["messages"], parts: ["content"], tools: ["tools"] },
  responses: { turns: ["input"], parts: ["content"], tools: ["tools"] },
  anthropic: { turns: ["messages"], parts: ["content"], tools: ["tools"] },
  gemini: { turns: ["contents"], parts: ["parts"], tools: ["tools", 0, "functionDeclarations"] },
  bedrock: { turns: ["messages"], parts: ["content"], tools: ["toolConfig", "tools"] },
  cohere: { turns: ["messages"], parts: ["content"], tools: ["tools"] },
};
interface Places {
  readonly turns: readonly Step[];
  readonly parts: readonly Step[];
  readonly tools: readonly Step[];
}
type Step = string | number;

describe(`of a recorded request${DRAWN}${SKIPPED}`, () => {
  for (const [from, to] of PAIRS) {
    const drawn = () => some(requestsOf(from), REQUESTS);

    test(`${from} > ${to}: a field nobody knows changes nothing but the report`, () => {
      expect(drawn().flatMap((request) => unknownFaults(request, { from, to }))).toEqual([]);
    });

    test(`${from} > ${to}: a text in two pieces says the same`, () => {
      const wrong = drawn().flatMap((request) => {
        const body = bodyOf(request);
        const split = splitTexts(from, body);
        if (split === undefined) return [];
        const [one, two] = [body, split].map((each) => sent(each, request, { from, to }));
        if (one === undefined || two === undefined) return [];
        const said = ({ body: sentBody }: Sent) =>
          SPEECHES[to].viewOf(sentBody).turns.map((turn) => turn.text.replaceAll(/\s+/g, ""));
        return same(said(one), said(two)) ? [] : [request.name];
      });
      expect(wrong).toEqual([]);
    });

    test(`${from} > ${to}: tools in another order are the same in that order`, () => {
      const wrong = drawn().flatMap((request) => {
        const body = bodyOf(request);
        const tools = list(body, ...PLACES[from].tools);
        if (tools.length < 2) return [];
        const turned = structuredClone(body);
        const holder = PLACES[from].tools.slice(0, -1);
        const last = PLACES[from].tools.at(-1)!;
        (at(turned, ...holder) as Record<Step, unknown>)[last] = tools.toReversed();
        const [one, two] = [body, turned].map((each) => sent(each, request, { from, to }));
        if (one === undefined || two === undefined) return [];
        const named = ({ body: sentBody }: Sent) => SPEECHES[to].viewOf(sentBody).tools;
        const isTurned = same(named(one).toReversed(), named(two));
        return isTurned && one.losses.length === two.losses.length ? [] : [request.name];
      });
      expect(wrong).toEqual([]);
    });

    test(`${from} > ${to}: it is translated alike every time`, () => {
      const wrong = drawn().filter((request) => {
        const [one, two] = [1, 2].map(() => sent(bodyOf(request), request, { from, to }));
        return !same(one, two);
      });
      expect(wrong.map(({ name }) => name)).toEqual([]);
    });
  }
});

interface Hop {
  readonly from: DialectId;
  readonly to: DialectId;
}
interface Sent {
  readonly body: object;
  readonly losses: readonly Loss[];
}

function sent(body: object, { stream }: RecordedRequest, { from, to }: Hop): Sent | undefined {
  const done = translated(encoder.encode(JSON.stringify(body)), { from, to, stream });
  if (done instanceof Rejection) return undefined;
  return { body: JSON.parse(decoder.decode(done.body)), losses: done.losses };
}

function bodyOf({ body }: RecordedRequest): object {
  return JSON.parse(decoder.decode(body)) as object;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Puts it into the body, into each turn, each part and each tool, one at a time. */
function unknownFaults(request: RecordedRequest, hop: Hop): string[] {
  const body = bodyOf(request);
  const plain = sent(body, request, hop);
  if (plain === undefined) return [];
  return some(nodesOf(hop.from, body), 12).flatMap((steps) => {
    const changed = structuredClone(body);
    Object.assign(at(changed, ...steps) as object, { [UNKNOWN]: 1 });
    const odd = sent(changed, request, hop);
    const place = `${request.name} ${steps.join(".")}`;
    if (odd === undefined) return [`${place}: refused`];
    const isSame = same(plain.body, odd.body);
    const more = odd.losses.length - plain.losses.length;
    // Where the whole node is lost, so is what it holds, and one report is enough.
    const isCovered = plain.losses.some(
      ({ path }) => path !== "" && pathOf(steps).startsWith(path),
    );
    const isTold = more === 1 || (more === 0 && isCovered);
    return isSame && isTold
      ? []
      : [`${place}: ${isSame ? `${more} reports more` : "another body"}`];
  });
}

function nodesOf(from: DialectId, body: object): Step[][] {
  const { turns, parts, tools } = PLACES[from];
  const nodes: Step[][] = [[]];
  for (const [index, turn] of list(body, ...turns).entries()) {
    if (saysNothing(turn, parts)) continue;
    nodes.push([...turns, index]);
    for (const [part, said] of list(turn, ...parts).entries()) {
      if (typeof said === "object" && said !== null) nodes.push([...turns, index, ...parts, part]);
    }
  }
  for (const [index] of list(body, ...tools).entries()) nodes.push([...tools, index]);
  return nodes;
}

/** An item of empty texts goes, and with it whatever else it holds. */
function saysNothing(turn: unknown, parts: readonly Step[]): boolean {
  const said = list(turn, ...parts);
  return said.length > 0 && said.every((part) => at(part, "text") === "");
}

function pathOf(steps: readonly Step[]): string {
  return steps
    .map((step, index) =>
      typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`,
    )
    .join("");
}

/** The user's texts, each as two parts; undefined where none could be cut. */
function splitTexts(from: DialectId, body: object): object | undefined {
  const { turns, parts } = PLACES[from];
  let isSplit = false;
  const copy = structuredClone(body);
  for (const turn of list(copy, ...turns)) {
    if (text(turn, "role") !== "user") continue;
    const holder = turn as Record<Step, unknown>;
    const [name = ""] = parts;
    if (!Array.isArray(holder[name])) continue;
    holder[name] = list(turn, ...parts).flatMap((part) => {
      const said = text(part, "text");
      if (said.trim().length < 4 || Object.keys(part as object).length > 2) return [part];
      isSplit = true;
      const half = said.search(/\S/) + 1;
      return [said.slice(0, half), said.slice(half)].map((piece) => ({
        ...(part as object),
        text: piece,
      }));
    });
  }
  return isSplit ? copy : undefined;
}
