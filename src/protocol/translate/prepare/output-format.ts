import type { IrRequest, OutputFormat } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";
import { fitSchema } from "./schemas.ts";

/** The name OpenAI's wires demand of a schema: protocols.md §3.10. */
const NAME_DEFAULT = "response";
type SchemaFormat = Extract<OutputFormat, { readonly kind: "schema" }>;

/** The answer's form. Text is what every target gives unasked. */
export function fitOutput(request: IrRequest, fit: Fit): OutputFormat | undefined {
  if (request.output === undefined) return undefined;
  const { output: path } = fit.paths;
  const output = dropExt(request.output, { kind: "output", path, fit });
  if (output.kind === "text") return undefined;
  const { jsonMode, jsonSchema } = fit.capabilities;
  if (output.kind === "schema" && jsonSchema) return fittedSchema(output, fit);
  if (output.kind === "json" && jsonMode) return { kind: "json" };
  const action = jsonMode ? "approximated" : "dropped";
  fit.lose("L-JSONMODE", output.at ?? fit.paths.output, { action });
  return jsonMode ? { kind: "json" } : undefined;
}

function fittedSchema(output: SchemaFormat, fit: Fit): OutputFormat {
  const path = output.at ?? fit.paths.output;
  const { name, description, strict } = output;
  const named = fit.capabilities.jsonSchemaName;
  if (named && name === undefined) fit.lose("L-SCHEMA-NAME", path, { action: "defaulted" });
  if (!named && (name ?? description) !== undefined) fit.lose("L-SCHEMA-NAME", path);
  const takesStrict = fit.target === "openai" || fit.target === "responses";
  if (strict === true && !takesStrict) fit.lose("L-STRICT", path);
  return {
    kind: "schema",
    ...fitSchema(output.schema, { dialect: output.schemaDialect, path, fit }),
    name: named ? (name ?? NAME_DEFAULT) : undefined,
    description: named ? description : undefined,
    strict: takesStrict ? strict : undefined,
  };
}
