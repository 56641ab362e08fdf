import { describe, expect, test } from "bun:test";
import type { DialectId } from "../../../../src/core/ids.ts";
import { Rejection } from "../../../../src/core/rejection.ts";
import type { Capabilities } from "../../../../src/core/capabilities.ts";
import type { OutputFormat } from "../../../../src/protocol/ir/request.ts";
import { outcomeOf, prepared, requestOf } from "../preparing.ts";

const schema = {
  kind: "schema",
  schema: { type: "object" },
  schemaDialect: "json-schema",
} as const;
type Row = readonly [
  from: DialectId,
  given: OutputFormat,
  to: DialectId,
  change: Partial<Capabilities>,
  sent: OutputFormat | undefined,
  lost: readonly string[],
];

describe("the form of an answer", () => {
  test.each<Row>([
    ["openai", { kind: "text" }, "gemini", {}, undefined, []],
    ["openai", { kind: "json" }, "gemini", {}, { kind: "json" }, []],
    [
      "openai",
      { kind: "json" },
      "anthropic",
      {},
      undefined,
      ["L-JSONMODE response_format dropped"],
    ],
    [
      "anthropic",
      schema,
      "responses",
      {},
      { ...schema, name: "response" },
      ["L-SCHEMA-NAME output_config.format defaulted"],
    ],
    [
      "openai",
      { ...schema, name: "n", strict: true },
      "anthropic",
      {},
      schema,
      ["L-SCHEMA-NAME response_format dropped", "L-STRICT response_format dropped"],
    ],
    [
      "openai",
      { ...schema, name: "n", strict: true },
      "responses",
      {},
      { ...schema, name: "n", strict: true },
      [],
    ],
    [
      "gemini",
      { kind: "schema", schema: { type: "STRING" }, schemaDialect: "openapi" },
      "cohere",
      {},
      { kind: "schema", schema: { type: "string" }, schemaDialect: "json-schema" },
      [],
    ],
    [
      "responses",
      schema,
      "openai",
      { jsonSchema: false },
      { kind: "json" },
      ["L-JSONMODE text.format approximated"],
    ],
  ])("from %s %j to %s %j is %j", (origin, output, target, change, sent, lost) => {
    const told = prepared({ origin, output, maxOutputTokens: 9 }, target, change);
    expect(told.request.output).toEqual(sent);
    expect(told.lost).toEqual(lost);
  });

  test("cannot be had of Cohere together with tools", () => {
    const tools = [{ kind: "function", name: "f", schemaDialect: "json-schema" }] as const;
    const request = requestOf({ origin: "openai", output: { kind: "json" }, tools });
    const { prepared: refused } = outcomeOf(request, { target: "cohere" });
    expect((refused as Rejection).reason).toMatchObject({
      kind: "loss_refused",
      path: "response_format",
    });
  });
});
