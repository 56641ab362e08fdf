import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { RelayConfig } from "../../src/config/config.ts";
import { Rejection } from "../../src/core/rejection.ts";
import { openai } from "../../src/protocol/openai/dialect.ts";
import { addsUsage, editsFor } from "../../src/upstream/prepare.ts";
import { spliceAll } from "../../src/wire/json-splice.ts";
import { attemptRig, backendOf, bytesOf, headOf, laneOf } from "./pieces.ts";

const { relay: OFF } = attemptRig([]).context;
const INJECT: RelayConfig = { ...OFF, injectIncludeUsage: true };

const LIMITS = { depthMax: 64 };

interface Lane {
  readonly upstreamModel?: string | undefined;
  readonly relay?: RelayConfig;
}

/** What goes upstream for a body; undefined when its bytes go as they came. */
function prepared(text: string, { upstreamModel, relay = OFF }: Lane = {}) {
  const body = bytesOf(text);
  const read = openai.readEnvelope(headOf("chat"), body, LIMITS);
  if (read instanceof Rejection) throw new Error(JSON.stringify(read.reason));
  const lane = laneOf(backendOf(), { upstreamModel });
  const edits = editsFor(read.envelope, lane, { dialect: openai, relay });
  const asks = addsUsage(read.envelope, relay);
  return { asks, text: edits && new TextDecoder().decode(spliceAll(body, edits(body))) };
}

const name = fc.string({ minLength: 1, unit: "grapheme" });
/** Names of which none is another spelling of one that is read. */
const rest = fc.dictionary(
  fc.string().map((key) => `x_${key}`),
  fc.jsonValue(),
);
/** A chat body, spelled with any indent. */
const body = fc
  .record({ model: name, stream: fc.boolean(), rest, indent: fc.nat(4), last: fc.boolean() })
  .map(({ model, stream, rest: others, indent, last }) => {
    const value = last ? { ...others, stream, model } : { model, stream, ...others };
    return { model, text: JSON.stringify(value, null, indent) };
  });

test("a body whose model keeps its name goes as it came", () => {
  fc.assert(
    fc.property(body, fc.boolean(), ({ model, text }, named) => {
      expect(prepared(text, { upstreamModel: named ? model : undefined }).text).toBeUndefined();
    }),
  );
});

test("a renamed model changes its own name and not a byte beside it", () => {
  fc.assert(
    fc.property(body, name, ({ model, text }, upstreamModel) => {
      fc.pre(model !== upstreamModel);
      const got = prepared(text, { upstreamModel }).text!;
      expect(JSON.parse(got)).toEqual({ ...JSON.parse(text), model: upstreamModel });
      const key = text.indexOf('"model"');
      const at = text.indexOf(JSON.stringify(model), key + 7);
      const after = text.slice(at + JSON.stringify(model).length);
      expect(got.startsWith(text.slice(0, at)) && got.endsWith(after)).toBe(true);
    }),
  );
});

describe("usage is asked for", () => {
  const ask = (extra: object, lane: Lane = { relay: INJECT }) =>
    prepared(JSON.stringify({ model: "m", ...extra }), lane);

  test("on a stream whose caller did not, where the configuration says so", () => {
    const { asks, text } = ask({ stream: true, n: 1 });
    expect(asks).toBe(true);
    const options = { include_usage: true };
    expect(JSON.parse(text!)).toEqual({ model: "m", stream: true, n: 1, stream_options: options });
  });
  test("beside what else the caller's stream options say, and a new name", () => {
    const given = { stream: true, stream_options: { include_obfuscation: false } };
    const { text } = ask(given, { relay: INJECT, upstreamModel: "real" });
    const options = { include_obfuscation: false, include_usage: true };
    expect(JSON.parse(text!)).toEqual({ model: "real", stream: true, stream_options: options });
  });
  test.each<[string, object, Lane]>([
    ["the configuration does not say so", { stream: true }, { relay: OFF }],
    ["the caller asks itself", { stream: true, stream_options: { include_usage: true } }, {}],
    ["the answer is no stream", { stream: false }, {}],
  ])("not when %s", (_, extra, lane) => {
    expect(ask(extra, { relay: INJECT, ...lane })).toEqual({ asks: false, text: undefined });
  });
  test("not of embeddings, whatever their envelope says", () => {
    const read = openai.readEnvelope(
      headOf("chat"),
      bytesOf('{"model":"m","stream":true}'),
      LIMITS,
    );
    if (read instanceof Rejection) throw new Error(read.reason.kind);
    expect(addsUsage(read.envelope, INJECT)).toBe(true);
    expect(addsUsage({ ...read.envelope, operation: "embeddings" }, INJECT)).toBe(false);
  });
});
