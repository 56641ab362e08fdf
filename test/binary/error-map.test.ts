import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Answer, eventStream, json } from "../faultd/script.ts";
import { COMPLETION, STREAM } from "./config.ts";
import { startTwoLanes, type TwoLanes } from "./two-lanes.ts";

/** What an operator says of a host whose errors nobody else can read. */
const PROVIDER = {
  error_map: {
    "1113": "billing",
    slow_down: "rate_limit",
    e_full: "overloaded",
    e_prompt: "context_length",
    e_mine: "client_error",
    "418": "server_error",
  },
  error_rules: [
    { status: 400, message: "Out Of Credits", means: "billing" },
    { status: 500, code: "E_ARGS", means: "client_error" },
  ],
};

interface Row {
  readonly what: string;
  readonly answer: Answer;
  /** The fault that is counted. */
  readonly fault: string;
  /** What the caller of a lone backend gets; undefined where the host's own words are passed on. */
  readonly status: number | undefined;
}

function said(status: number, error: object): Answer {
  return json({ error: { message: "no", type: "t", code: null, ...error } }, { status });
}

const ROWS: readonly Row[] = [
  row("a code in a map", said(400, { code: "1113" }), "billing", 502),
  row("a code that is a number", said(429, { code: 1113 }), "billing", 502),
  row("a type in a map", said(400, { type: "slow_down" }), "rate_limited", 429),
  row("a status in a map", said(418, {}), "server_error", 502),
  row("a status and words", said(400, { message: "You are out of credits." }), "billing", 502),
  row("the words, with another status", said(422, { message: "out of credits" }), "client_error"),
  row("an outage that is a caller's mistake", said(500, { code: "e_args" }), "client_error"),
  row("a prompt too long", said(422, { code: "e_prompt" }), "context_length"),
  row("that of a broken host is none", said(500, { code: "e_prompt" }), "server_error", 502),
  row(
    "a flat envelope",
    json({ code: "E_FULL", message: "m" }, { status: 403 }),
    "overloaded",
    503,
  ),
  row("an error nobody mapped", said(400, { code: "else" }), "client_error"),
];

function row(what: string, answer: Answer, fault: string, status?: number): Row {
  return { what, answer, fault, status };
}

/** Those after which no other backend is asked. */
const FINAL = ["client_error"];

describe("what an operator says of a host's errors", () => {
  let lanes: TwoLanes;
  beforeAll(async () => void (lanes = await startTwoLanes({ provider: PROVIDER })));
  afterAll(() => lanes[Symbol.asyncDispose]());

  for (const { what, answer, fault, status } of ROWS) {
    test(`${what}: decides whether another backend is tried`, async () => {
      const told = await lanes.ask(answer, json(COMPLETION));
      if (FINAL.includes(fault)) {
        expect(told).toMatchObject({ status: answer.status, text: answer.body?.toString() });
        expect(told.route).toBe(`one(${fault})`);
      } else {
        expect(told).toMatchObject({ status: 200, text: COMPLETION });
        expect(told.route).toBe(`one(${fault}) > two`);
      }
    });

    test(`${what}: decides what the caller hears`, async () => {
      const told = await lanes.ask(answer, json(COMPLETION), { model: "alone" });
      expect(told.status).toBe(status ?? answer.status!);
      if (status === undefined) expect(told.text).toBe(answer.body!.toString());
      else expect(told.text).not.toContain("redits");
    });
  }

  test("holds for an error that a stream begins with", async () => {
    const words = { error: { message: "no", code: "1113" } };
    const failed = eventStream(`data: ${JSON.stringify(words)}\n\n`);
    const told = await lanes.ask(failed, eventStream(STREAM), { stream: true });
    expect(told).toMatchObject({ status: 200, text: STREAM, route: "one(billing) > two" });
  });

  test("gives a caller of another protocol that protocol's words", async () => {
    const told = await lanes.ask(said(422, { code: "e_prompt" }), json(COMPLETION), {
      ...{ model: "alone", caller: "anthropic" },
    });
    expect(told.status).toBe(400);
    expect(JSON.parse(told.text).error).toMatchObject({
      type: "invalid_request_error",
      message: expect.stringMatching(/prompt is too long|context/),
    });
  });
});
