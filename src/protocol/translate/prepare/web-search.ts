import type { DialectId } from "../../../core/ids.ts";
import { compact, isList, isObject } from "../../ir/fields.ts";
import type { Json, JsonObject } from "../../ir/json.ts";
import type { HostedTool } from "../../ir/request.ts";
import type { Fit } from "./fit.ts";

/** A search of the web, as far as more than one vendor can be told of it. */
interface WebSearch {
  readonly allowed?: readonly Json[] | undefined;
  readonly blocked?: readonly Json[] | undefined;
  /** City, region, country and time zone: all four wires spell them alike. */
  readonly place?: JsonObject | undefined;
  /** The names of what else was asked. */
  readonly others: readonly string[];
}
type Option = "allowed" | "blocked" | "place";

/** The only tool of a vendor's that others have too: protocols.md §3.5. */
const SEARCHES: Readonly<Record<DialectId, RegExp>> = {
  openai: /^web_search_options$/,
  responses: /^web_search(?:_preview)?(?:_\d{4}_\d\d_\d\d)?$/,
  anthropic: /^web_search_\d{8}$/,
  gemini: /^google_?search$/i,
  bedrock: /^nova_grounding$/,
  cohere: /^\b$/,
};

/** What a wire can be told beside the search itself. */
const OPTIONS: Readonly<Record<DialectId, readonly Option[]>> = {
  openai: ["place"],
  responses: ["allowed", "place"],
  anthropic: ["allowed", "blocked", "place"],
  gemini: [],
  bedrock: [],
  cohere: [],
};

/** Members that say nothing to another vendor, or nothing at all. */
const QUIET: ReadonlySet<string> = new Set(["type", "name"]);
const PLACE = ["city", "region", "country", "timezone"] as const;

export interface WebSearchContext {
  /** Names of the caller's own tools. */
  readonly taken: ReadonlySet<string>;
  readonly fit: Fit;
}

/** The target's own search in the place of another vendor's; undefined where there is none. */
export function fitWebSearch(
  tool: HostedTool,
  { taken, fit }: WebSearchContext,
): HostedTool | undefined {
  const { target } = fit;
  const isSearch = SEARCHES[tool.vendor].test(tool.type);
  if (!isSearch || !fit.capabilities.webSearch.includes(target)) return undefined;
  const path = tool.at ?? fit.paths.tools;
  const asked = read(tool);
  const search = written(asked, target);
  if (search.name !== undefined && taken.has(search.name)) return undefined;
  for (const name of [...asked.others, ...untold(asked, tool.vendor, target)]) {
    fit.lose("L-HOSTED-OPTS", `${path}.${name}`);
  }
  fit.lose("L-HOSTED", path, { action: "emulated", severity: "degraded" });
  return { ...search, at: tool.at };
}

function read({ vendor, raw, type }: HostedTool): WebSearch {
  const inner = vendor === "gemini" ? raw[type] : vendor === "bedrock" ? raw["systemTool"] : raw;
  const options = isObject(inner) ? inner : {};
  const filters = vendor === "responses" ? objectIn(options, "filters") : options;
  const near = objectIn(options, "user_location");
  const place = vendor === "openai" ? objectIn(near, "approximate") : near;
  const known = new Set(["allowed_domains", "blocked_domains", "user_location", "filters"]);
  return {
    allowed: listIn(filters, "allowed_domains"),
    blocked: listIn(filters, "blocked_domains"),
    place: placeIn(place),
    others: Object.keys(options).filter(
      (name) => !QUIET.has(name) && !known.has(name) && options[name] !== null,
    ),
  };
}

/** By the caller's own names for them: what the target cannot be told. */
function untold(asked: WebSearch, from: DialectId, to: DialectId): readonly string[] {
  const within = from === "responses" ? "filters." : "";
  const names: Readonly<Record<Option, string>> = {
    allowed: `${within}allowed_domains`,
    blocked: `${within}blocked_domains`,
    place: "user_location",
  };
  const all: readonly Option[] = ["allowed", "blocked", "place"];
  return all
    .filter((option) => asked[option] !== undefined && !OPTIONS[to].includes(option))
    .map((option) => names[option]);
}

type Written = Pick<HostedTool, "kind" | "vendor" | "type" | "name" | "raw">;

function written({ allowed, blocked, place }: WebSearch, target: DialectId): Written {
  const kind = "hosted";
  const near = place && { type: "approximate", ...place };
  switch (target) {
    case "responses": {
      const filters = allowed && { allowed_domains: allowed };
      const raw = compact({ type: "web_search", filters, user_location: near });
      return { kind, vendor: target, type: "web_search", raw };
    }
    case "anthropic": {
      const [type, name] = ["web_search_20250305", "web_search"];
      const domains = { allowed_domains: allowed, blocked_domains: blocked };
      const raw = compact({ type, name, ...domains, user_location: near });
      return { kind, vendor: target, type, name, raw };
    }
    case "openai": {
      const user_location = place && { type: "approximate", approximate: place };
      return { kind, vendor: target, type: "web_search_options", raw: compact({ user_location }) };
    }
    case "gemini":
      return { kind, vendor: target, type: "googleSearch", raw: { googleSearch: {} } };
    case "bedrock": {
      const name = "nova_grounding";
      return { kind, vendor: target, type: name, name, raw: { systemTool: { name } } };
    }
    case "cohere":
      throw new Error("Cohere has no web search");
  }
}

function placeIn(place: JsonObject): JsonObject | undefined {
  const said = PLACE.flatMap((name) => {
    const value = place[name];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

function listIn(object: JsonObject, name: string): readonly Json[] | undefined {
  const value = object[name];
  return isList(value) && value.length > 0 ? value : undefined;
}

function objectIn(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isObject(value) ? value : {};
}
