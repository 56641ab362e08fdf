import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeAuthority } from "../faultd/certificate.ts";
import { startFaultd } from "../faultd/faultd.ts";
import {
  type Answer,
  bytesOf,
  type CutKind,
  eventStream,
  gate,
  json,
  redirect,
  type Script,
} from "../faultd/script.ts";
import { eventEnds } from "../faultd/pieces.ts";
import { COMPLETION, SHORT_TIMEOUTS, STREAM } from "./config.ts";
import { type Asked, startTwoLanes, type TwoLanes } from "./two-lanes.ts";

/**
 * reliability.md §3.3, rows 7 to 35: whose fault it is, what the client sees, what is counted, and
 * whether another backend is asked. Rows before and behind have suites of their own: keys, limits,
 * budgets, edge; relay, restart, reload, ledger.
 */
interface Row {
  readonly row: number;
  readonly what: string;
  readonly script: Script;
  /** As it is counted and logged. */
  readonly fault: string;
  /** With nobody else to ask: a status and a code of ours, or the host's own answer. */
  readonly alone: readonly [status: number, code: string] | "relayed";
  /** Whether the second backend is asked. */
  readonly goesOn: boolean;
  /** Asked for as a stream only, as an answer only, or as both. */
  readonly mode?: "stream" | "whole";
}

const said = (status: number, error: object = {}, headers: Answer["headers"] = []): Answer =>
  json(
    { error: { message: "theirs", type: "t", code: null, ...error } },
    { status, headers: [["content-type", "application/json"], ...headers] },
  );
const first = (error: object) =>
  eventStream(`data: ${JSON.stringify({ error: { message: "theirs", ...error } })}\n\n`);
const on = (
  row: number,
  what: string,
  due: Omit<Row, "row" | "what" | "goesOn"> & { readonly goesOn?: boolean },
): Row => ({ row, what, goesOn: due.alone !== "relayed", ...due });

const LIMIT_MS = 30_000;
const UNREACHABLE = [502, "upstream_unreachable"] as const;
const UNREADABLE = [502, "upstream_protocol"] as const;
const FAILED = [502, "upstream_error"] as const;
const TIMEOUT = [504, "timeout"] as const;
const BUSY = [503, "overloaded"] as const;
const LIMITED = [429, "rate_limit_exceeded"] as const;
const CREDENTIAL = [502, "upstream_auth"] as const;
const HALF = COMPLETION.slice(0, 60);
const HTML: Answer = { headers: [["content-type", "text/html"]], body: "<html>hi</html>" };
const SILENT = json(COMPLETION, { cut: { at: 0, how: "stall" } });

const ROWS: readonly Row[] = [
  on(12, "FIN without a word", {
    script: { raw: "", then: "fin" },
    fault: "network",
    alone: UNREACHABLE,
  }),
  on(12, "RST without a word", {
    script: { raw: "", then: "rst" },
    fault: "network",
    alone: UNREACHABLE,
  }),
  on(13, "silence", { script: SILENT, fault: "timeout/first_event", alone: TIMEOUT }),
  on(14, "429", { script: said(429), fault: "rate_limited", alone: LIMITED }),
  on(15, "401", { script: said(401), fault: "auth", alone: CREDENTIAL }),
  on(15, "403", { script: said(403), fault: "auth", alone: CREDENTIAL }),
  ...[400, 404, 405, 415, 422].map((status) =>
    on(17, `${status}`, { script: said(status), fault: "client_error", alone: "relayed" }),
  ),
  on(18, "a prompt too long", {
    ...{ script: said(400, { code: "context_length_exceeded" }), fault: "context_length" },
    ...{ alone: "relayed", goesOn: true },
  }),
  ...[408, 409, 425].map((status) =>
    on(19, `${status}`, {
      ...{ script: said(status), fault: "not_now", alone: "relayed", goesOn: true },
    }),
  ),
  on(20, "500", { script: said(500), fault: "server_error", alone: FAILED }),
  on(20, "502", { script: said(502), fault: "server_error", alone: FAILED }),
  on(20, "503", { script: said(503), fault: "overloaded", alone: BUSY }),
  on(20, "529", { script: said(529), fault: "overloaded", alone: BUSY }),
  on(20, "504", { script: said(504), fault: "timeout/first_event", alone: TIMEOUT }),
  on(21, "a redirect", {
    ...{ script: redirect("https://elsewhere.example"), fault: "redirect" },
    alone: [502, "upstream_redirect"],
  }),
  on(22, "status 999", {
    ...{ script: { raw: "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n", then: "fin" } },
    ...{ fault: "protocol", alone: UNREADABLE },
  }),
  on(22, "no HTTP", {
    ...{ script: { raw: "220 mail ESMTP\r\n", then: "fin" }, fault: "protocol", alone: UNREADABLE },
  }),
  on(23, "HTML with 200", { script: HTML, fault: "protocol", alone: UNREADABLE }),
  on(23, "an empty 200", { script: json(""), fault: "protocol", alone: UNREADABLE }),
  on(23, "half a JSON text", { script: json(HALF), fault: "protocol", alone: UNREADABLE }),
  on(24, "a body cut by FIN", {
    ...{ script: json(COMPLETION, { cut: { at: 60, how: "fin" } }), mode: "whole" },
    ...{ fault: "network", alone: UNREACHABLE },
  }),
  on(24, "a body cut by RST", {
    ...{ script: json(COMPLETION, { cut: { at: 60, how: "rst" } }), mode: "whole" },
    ...{ fault: "network", alone: UNREACHABLE },
  }),
  on(25, "a first event that is a limit", {
    ...{ script: first({ code: "rate_limit_exceeded" }), mode: "stream" },
    ...{ fault: "rate_limited", alone: LIMITED },
  }),
  on(25, "a first event that is a failure", {
    ...{ script: first({ type: "server_error" }), mode: "stream" },
    ...{ fault: "server_error", alone: FAILED },
  }),
  on(25, "a first event that is a wrong key", {
    ...{ script: first({ code: "invalid_api_key" }), mode: "stream" },
    ...{ fault: "auth", alone: CREDENTIAL },
  }),
  on(25, "a whole 200 that is an error", {
    ...{ script: said(200, { code: 429, message: "Provider returned error" }), mode: "whole" },
    ...{ fault: "rate_limited", alone: LIMITED },
  }),
  on(26, "an empty stream", {
    ...{ script: eventStream(""), mode: "stream", fault: "network", alone: UNREACHABLE },
  }),
  on(26, "RST in the first event", {
    ...{ script: eventStream(STREAM, { cut: { at: 20, how: "rst" } }), mode: "stream" },
    ...{ fault: "network", alone: UNREACHABLE },
  }),
  on(26, "silence in the first event", {
    ...{ script: eventStream(STREAM, { cut: { at: 20, how: "stall" } }), mode: "stream" },
    ...{ fault: "timeout/first_event", alone: TIMEOUT },
  }),
];

const OK = { false: json(COMPLETION), true: eventStream(STREAM) } as const;

/** How often a fault of the first backend was counted. */
async function counted({ binary }: TwoLanes, kind: string): Promise<number> {
  const line = /^gateway_provider_errors_total\{([^}]*)\} (\d+)/gm;
  for (const [, labels = "", times] of (await binary.metrics()).matchAll(line)) {
    if (labels.includes('provider="one"') && labels.includes(`kind="${kind}"`))
      return Number(times);
  }
  return 0;
}

/** What a failure before the first event comes to; `script` is what the first backend plays. */
function failing(lanes: () => TwoLanes, row: Row, stream: boolean): void {
  const { script, fault, alone, goesOn } = row;
  const [kind = ""] = fault.split("/");
  const title = `${row.row}, ${row.what}, ${stream ? "streamed" : "buffered"}`;

  test(`${title}: ${goesOn ? "another backend answers" : "nobody else is asked"}`, async () => {
    const before = await counted(lanes(), kind);
    const told = await lanes().ask(script, OK[`${stream}`], { stream });
    expect(await counted(lanes(), kind)).toBe(before + 1);
    if (!goesOn) return expect(told.route).toBe(`one(${fault})`);
    expect(told.route).toBe(`one(${fault}) > two`);
    expect(told.status).toBe(200);
    expect(told.text).toBe(stream ? STREAM : COMPLETION);
  });

  test(`${title}: what a client is told when nobody else is there`, async () => {
    const told = await lanes().ask(script, script, { stream, model: "alone" });
    expect(told.route).toStartWith(`one(${fault})`);
    expect([told.tokens, told.usage]).toEqual([0, undefined]);
    if (alone === "relayed") {
      const { status, body } = script as Answer;
      expect(told).toMatchObject({ status, text: body?.toString() });
    } else {
      const [status, code] = alone;
      expect(told.status).toBe(status);
      expect(JSON.parse(told.text)).toMatchObject({ error: { code } });
      expect(told.text).not.toContain("theirs");
    }
  });
}

describe("before the first event", () => {
  let lanes: TwoLanes;
  beforeAll(async () => void (lanes = await startTwoLanes({ provider: SHORT_TIMEOUTS })));
  afterAll(() => lanes[Symbol.asyncDispose]());

  for (const row of ROWS) {
    if (row.mode !== "stream") failing(() => lanes, row, false);
    if (row.mode !== "whole") failing(() => lanes, row, true);
  }

  test("14: the soonest of all waits is told", async () => {
    const wait = (seconds: number) => said(429, {}, [["retry-after", `${seconds}`]]);
    const told = await lanes.ask(wait(30), wait(7));
    expect(told.status).toBe(429);
    expect(told.headers.get("retry-after")).toBe("7");
  });

  test("20: a sane wait is kept", async () => {
    const busy = said(503, {}, [["retry-after", "9"]]);
    const told = await lanes.ask(busy, busy);
    expect([told.status, told.headers.get("retry-after")]).toEqual([503, "9"]);
  });

  test("12, 13, 19: what may have run is asked of one other, and of no third", async () => {
    const lost: Script = { raw: "", then: "rst" };
    const told = await lanes.ask(lost, lost);
    expect(told.route).toBe("one(network) > two(network)");
  });
});

interface Place {
  readonly row: number;
  readonly what: string;
  /** More of the first backend's entry: where it is. */
  readonly provider: object;
  readonly fault: string;
  readonly alone: readonly [status: number, code: string];
  /** The operator is to look at it. */
  readonly level: "ERROR" | "WARN";
}

describe("a backend that is not there", () => {
  const authority = makeAuthority();
  const forged = startFaultd(() => json(COMPLETION), { identity: authority.issue(["127.0.0.1"]) });
  const mute = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const gone = startFaultd(() => json(COMPLETION));
  gone.stop();
  afterAll(() => {
    forged.stop();
    mute.stop(true);
  });
  const timeout = { timeout: { connect_seconds: 1, request_seconds: 30 } };
  const places: readonly Place[] = [
    {
      ...{ row: 7, what: "nobody listens", fault: "network", alone: UNREACHABLE, level: "WARN" },
      provider: { base_url: `${gone.origin}/v1` },
    },
    {
      ...{ row: 7, what: "a name nobody has", fault: "network", alone: UNREACHABLE, level: "WARN" },
      provider: { base_url: "http://nobody.invalid/v1" },
    },
    {
      ...{ row: 8, what: "no handshake", fault: "timeout/connect", alone: TIMEOUT, level: "WARN" },
      provider: { base_url: `https://127.0.0.1:${mute.port}/v1`, ...timeout },
    },
    {
      ...{ row: 9, what: "a forged host", fault: "tls", alone: [502, "upstream_tls"] },
      ...{ level: "ERROR", provider: { base_url: `${forged.origin}/v1` } },
    },
  ];
  for (const { row, what, provider, fault, alone, level } of places) {
    test(
      `${row}, ${what}: another backend answers, a client hears nothing of why`,
      async () => {
        await using lanes = await startTwoLanes({ provider });
        for (const stream of [false, true]) {
          const told = await lanes.ask({ raw: "", then: "rst" }, OK[`${stream}`], { stream });
          expect(told).toMatchObject({ status: 200, route: `one(${fault}) > two` });
          expect(await counted(lanes, fault.split("/")[0]!)).toBe(stream ? 3 : 1);
          const lone = await lanes.ask({ raw: "", then: "rst" }, OK.false, {
            model: "alone",
            stream,
          });
          expect(lone).toMatchObject({ status: alone[0], route: `one(${fault})`, level });
          expect(JSON.parse(lone.text)).toMatchObject({ error: { code: alone[1] } });
          expect(lone.text).not.toMatch(/127\.0\.0\.1|nobody|CERT|VERIFY/);
        }
      },
      LIMIT_MS,
    );
  }
});

const [FIRST = 0, SECOND = 0] = eventEnds(bytesOf(STREAM));
const THEIRS = 'data: {"error":{"message":"theirs","type":"server_error","code":"x"}}\n\n';
const TRUNCATED = /"code":"stream_truncated"/;

interface Late {
  readonly row: number;
  readonly what: string;
  readonly script: Script;
  readonly opens?: Asked["opens"];
  /** As the line calls how it ended; counted by that name when it is a failure. */
  readonly ending: string;
  /** What stands behind the upstream's own events; undefined: nothing of ours. */
  readonly ours: RegExp | undefined;
  readonly theirs: string;
  readonly usage: string;
}

const USAGE = `data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}\n\n`;
const WITH_USAGE = STREAM.replace("data: [DONE]", `${USAGE}data: [DONE]`);
/** A stream that breaks at `at` once the client has all before it. */
function cutAt(at: number, how: CutKind, text = STREAM): Pick<Late, "script" | "opens"> {
  const here = gate();
  const script = eventStream(text, { gates: new Map([[at, here]]), cut: { at, how } });
  return { script, opens: { gate: here, at } };
}
const upTo = (at: number) => Buffer.from(STREAM).subarray(0, at).toString();

const LATE: readonly Late[] = [
  {
    ...{ row: 28, what: "an error of the upstream's own", ending: "upstream_reported" },
    ...{ script: eventStream(upTo(FIRST) + THEIRS), theirs: upTo(FIRST) + THEIRS },
    ...{ ours: undefined, usage: "estimated" },
  },
  ...(["fin", "rst", "garbage"] as const).map((how) => ({
    ...{ row: how === "garbage" ? 35 : 29, what: how, ...cutAt(SECOND, how) },
    ...{ ending: "truncated", theirs: upTo(SECOND), ours: TRUNCATED, usage: "estimated" },
  })),
  {
    ...{ row: 30, what: "silence", ...cutAt(SECOND, "stall"), ending: "timeout/stall" },
    ...{ theirs: upTo(SECOND), ours: /"code":"stream_timeout"/, usage: "estimated" },
  },
  {
    ...{ row: 31, what: "a clean end without the end mark", ending: "truncated" },
    ...{ script: eventStream(upTo(SECOND)), theirs: upTo(SECOND), ours: TRUNCATED },
    usage: "estimated",
  },
  {
    ...{ row: 32, what: "RST behind the end mark", ending: "completed", ours: undefined },
    ...cutAt(bytesOf(WITH_USAGE).length, "rst", WITH_USAGE),
    ...{ theirs: WITH_USAGE, usage: "reported" },
  },
  {
    ...{ row: 33, what: "no usage", script: eventStream(STREAM), ending: "completed" },
    ...{ ours: undefined, theirs: STREAM, usage: "estimated" },
  },
  ...["-5", "1e18", '"many"', "null"].map((count) => {
    const text = WITH_USAGE.replace('"completion_tokens":5', `"completion_tokens":${count}`);
    return {
      ...{ row: 34, what: `a usage of ${count}`, script: eventStream(text), ending: "completed" },
      ...{ ours: undefined, theirs: text, usage: "" },
    };
  }),
];

describe("after the first event nobody else is asked", () => {
  let lanes: TwoLanes;
  beforeAll(async () => void (lanes = await startTwoLanes({ provider: SHORT_TIMEOUTS })));
  afterAll(() => lanes[Symbol.asyncDispose]());

  for (const { row, what, script, opens, ending, ours, theirs, usage } of LATE) {
    test(`${row}, ${what}`, async () => {
      const kind = KINDS[ending];
      const before = kind === undefined ? 0 : await counted(lanes, kind);
      const told = await lanes.ask(script, eventStream(STREAM), { stream: true, opens });
      expect(told).toMatchObject({ status: 200, route: "one", ending });
      expect(told.text.slice(0, theirs.length)).toBe(theirs);
      const rest = told.text.slice(theirs.length);
      if (ours === undefined) expect(rest).toBe("");
      else expect(rest).toMatch(ours);
      expect(rest).not.toContain("[DONE]");
      expect(told.tokens).toBeWithin(0, 1000);
      if (usage !== "") expect(told.usage).toBe(usage);
      if (kind !== undefined) expect(await counted(lanes, kind)).toBe(before + 1);
    });
  }
});

/** The kind an ending is counted under; none is for one that is no failure. */
const KINDS: Readonly<Record<string, string>> = {
  upstream_reported: "reported",
  truncated: "truncated",
  "timeout/stall": "timeout",
};

/** A beginning that says nothing yet, then a failure: nothing of an answer was lost. */
const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
const begun = { id: "resp_1", object: "response", model: "m", status: "in_progress", output: [] };
const CREATED = event("response.created", { sequence_number: 0, response: begun });
const PROGRESS = event("response.in_progress", { sequence_number: 1, response: begun });
const error = { code: "rate_limit_exceeded", message: "theirs" };
const BROKEN = event("response.failed", {
  ...{ sequence_number: 2, response: { ...begun, status: "failed", error } },
});
const WHOLE = event("response.completed", {
  ...{ sequence_number: 2, response: { ...begun, status: "completed" } },
});
const MESSAGE = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [] };
const STARTED = event("message_start", {
  message: { ...MESSAGE, stop_reason: null, usage: { input_tokens: 1, output_tokens: 1 } },
});
const OVER = event("error", { error: { type: "overloaded_error", message: "theirs" } });
const STOPPED =
  event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }) +
  event("message_stop", {});

describe("25: an answer that was begun and failed before its first word", () => {
  for (const [dialect, failed, whole, fault, status] of [
    ["responses", CREATED + PROGRESS + BROKEN, CREATED + PROGRESS + WHOLE, "rate_limited", 429],
    ["anthropic", STARTED + OVER, STARTED + STOPPED, "overloaded", 529],
  ] as const) {
    test(`${dialect}: another backend answers, and alone it is an error answer`, async () => {
      await using lanes = await startTwoLanes({ dialect });
      const script = eventStream(failed, { chunking: "whole" });
      const told = await lanes.ask(script, eventStream(whole), { stream: true });
      expect(told).toMatchObject({ status: 200, text: whole, route: `one(${fault}) > two` });
      const lone = await lanes.ask(script, script, { stream: true, model: "alone" });
      expect(lone).toMatchObject({ status, route: `one(${fault})` });
      expect(lone.text).not.toContain("theirs");
    });
  }
});
