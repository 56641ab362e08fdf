import type { Json } from "../../ir/json.ts";
import type { SchemaDialect } from "../../ir/request.ts";
import { fromOpenApi } from "../../ir/schema.ts";
import type { Fit } from "./fit.ts";
import { toOpenApi } from "./open-api.ts";

export interface SchemaContext {
  readonly dialect: SchemaDialect;
  readonly path: string;
  readonly fit: Fit;
}
export interface FittedSchema {
  readonly schema: Json;
  readonly schemaDialect: SchemaDialect;
}

/** A schema in the target's dialect; never rewritten where that is its own: protocols.md §3.5. */
export function fitSchema(schema: Json, { dialect, path, fit }: SchemaContext): FittedSchema {
  const { schemas } = fit.capabilities;
  if (dialect === schemas) return { schema, schemaDialect: dialect };
  if (schemas === "json-schema") return { schema: fromOpenApi(schema), schemaDialect: schemas };
  const { schema: subset, isLossy } = toOpenApi(schema);
  if (isLossy) fit.lose("L-SCHEMA", path, { action: "approximated" });
  return { schema: subset, schemaDialect: schemas };
}
