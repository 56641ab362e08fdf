import type { IrRequest, OutputFormat } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";
import { dropExt } from "./own-words.ts";
import { fitSchema } from "./schemas.ts";

/** The name OpenAI's wires demand of a schema: protocols.md §3.10. */
const NAME_DEFAULT = "response";
const NAME_PATTERN = /^[a-zA-Z0-9_-]{1,64}$/;
export type SchemaFormat = Extract<OutputFormat, { readonly kind: "schema" }>;

/** The answer's form. Text is what every target gives unasked. */
export function fitOutput(request: IrRequest, fit: Fit): OutputFormat | undefined {
  if (request.output === undefined) return undefined;
  const { output: path } = fit.paths;
  const output = dropExt(request.output, { kind: "output", path, fit });
  if (output.kind === "text") return undefined;
  const { jsonMode, jsonSchema } = fit.capabilities;
  if (output.kind === "schema" && wantsTool(fit)) return output;
  if (output.kind === "schema" && jsonSchema) return fittedSchema(output, fit);
  if (output.kind === "json" && jsonMode) return { kind: "json" };
  const action = jsonMode ? "approximated" : "dropped";
  fit.lose("L-JSONMODE", output.at ?? fit.paths.output, { action });
  return jsonMode ? { kind: "json" } : undefined;
}

/** Whether a schema for the answer goes out as a tool's. */
export function wantsTool({ target, capabilities }: Fit): boolean {
  return capabilities.schemaTool && (target === "anthropic" || target === "bedrock");
}

function fittedSchema(output: SchemaFormat, fit: Fit): OutputFormat {
  const path = output.at ?? fit.paths.output;
  const { name, description, strict } = output;
  const named = fit.capabilities.jsonSchemaName;
  if (!named && (name ?? description) !== undefined) fit.lose("L-SCHEMA-NAME", path);
  const fitting = named ? fittedName(name, path, fit) : undefined;
  const takesStrict = fit.target === "openai" || fit.target === "responses";
  if (strict === true && !takesStrict) fit.lose("L-STRICT", path);
  return {
    kind: "schema",
    ...fitSchema(output.schema, { dialect: output.schemaDialect, path, fit }),
    name: fitting,
    description: named ? description : undefined,
    strict: takesStrict ? strict : undefined,
  };
}

/** A name that the target takes; Bedrock's own may be any text. */
function fittedName(name: string | undefined, path: string, fit: Fit): string {
  if (name !== undefined && (fit.target === "bedrock" || NAME_PATTERN.test(name))) return name;
  const action = name === undefined ? "defaulted" : "approximated";
  fit.lose("L-SCHEMA-NAME", path, { action });
  const plain = (name ?? "").replaceAll(/[^a-zA-Z0-9_-]+/g, "_").slice(0, 64);
  return plain === "" || /^_+$/.test(plain) ? NAME_DEFAULT : plain;
}
