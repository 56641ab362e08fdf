/** A parsed JSON value. Integers that a double cannot hold are `JSON.rawJSON` objects. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}
