import { type Effort, EFFORTS } from "../../core/effort.ts";
import { parseJson, printJson } from "../../wire/exact-json.ts";
import { Fields } from "../ir/fields.ts";
import type { Json, JsonObject } from "../ir/json.ts";
import type { OutputFormat } from "../ir/request.ts";
import { extOf, leftOf } from "./rest.ts";

/** What a request's `outputConfig` says. */
export interface OutputRead {
  readonly format?: OutputFormat | undefined;
  readonly effort?: Effort | undefined;
  readonly left?: JsonObject | undefined;
}

const encoder = new TextEncoder();

/** The form of an answer, and, unless it is said in another place, how much effort goes into it. */
export function readOutput(
  config: JsonObject | undefined,
  { withEffort }: { readonly withEffort: boolean },
): OutputRead {
  if (config === undefined) return {};
  const fields = new Fields(config);
  const wire = fields.object("textFormat");
  const format = wire && readFormat(wire);
  const effort = withEffort ? readEffort(fields) : undefined;
  const left = leftOf(config, fields, { textFormat: format === undefined ? wire : undefined });
  return { format, effort, left };
}

/** A known word for effort; any other is left where it stands. */
export function readEffort(fields: Fields): Effort | undefined {
  const word = fields.peek("effort");
  const effort = EFFORTS.find((known) => known === word);
  if (effort !== undefined) fields.skip("effort");
  return effort;
}

/**
 * `{type, structure: {jsonSchema: {schema, name, description}}}`, where the schema is a text. The
 * text stays beside what it says wherever it is spelled in another way than ours.
 */
function readFormat(wire: JsonObject): OutputFormat | undefined {
  const fields = new Fields(wire);
  const structure = fields.object("structure");
  const inner = structure && new Fields(structure);
  const definition = inner?.object("jsonSchema");
  if (structure === undefined || inner === undefined || definition === undefined) return undefined;
  if (fields.text("type") !== "json_schema") return undefined;
  const said = new Fields(definition);
  const text = said.peek("schema");
  if (typeof text !== "string") return undefined;
  const schema = parseJson(encoder.encode(text)) as Json | undefined;
  if (schema === undefined) return undefined;
  if (printJson(schema) === text) said.skip("schema");
  return {
    kind: "schema",
    schema,
    schemaDialect: "json-schema",
    name: said.text("name"),
    description: said.text("description"),
    ext: extOf(
      leftOf(wire, fields, {
        structure: leftOf(structure, inner, { jsonSchema: leftOf(definition, said) }),
      }),
    ),
  };
}
