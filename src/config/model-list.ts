const BODY_LENGTH_MAX = 1024 * 1024;
const MODELS_MAX = 500;
/** What may stand in a label and a log line. */
const MODEL_ID = /^[\x21-\x7e]{1,128}$/;

/** Who our own lists say they are by: another gateway like this one is no engine. */
export const LIST_OWNER = "interlock";

/** The ids of an answer to `GET /v1/models`; undefined when no engine answers so. */
export function readModelIds(body: string): readonly string[] | undefined {
  const list = parse(body);
  const data = fieldOf(list, "data");
  if (!Array.isArray(data)) return undefined;
  if (data.some((entry) => fieldOf(entry, "owned_by") === LIST_OWNER)) return undefined;
  const ids = data.slice(0, MODELS_MAX).map((entry) => fieldOf(entry, "id"));
  return ids.filter((id) => typeof id === "string").filter((id) => MODEL_ID.test(id));
}

function parse(body: string): unknown {
  if (body.length > BODY_LENGTH_MAX) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    // Another program answers on this port: nothing of ours is lost.
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
