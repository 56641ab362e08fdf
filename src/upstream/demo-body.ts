/** A request body as JSON, its shape unknown. */
export type DemoBody = { readonly [field: string]: unknown };

/** The body as an object, or the refusal of one that is none. */
export async function readBody(body: BunFetchRequestInit["body"]): Promise<DemoBody | Response> {
  const text = await new Response(body ?? "").text();
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Not JSON at all: refused like JSON that is no object.
  }
  return refuse(400, "The request body is not a JSON object.");
}

export function isRecord(value: unknown): value is DemoBody {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number of at least 1 in that field; undefined when there is none. */
export function positive(body: DemoBody, field: string): number | undefined {
  const value = body[field];
  return typeof value === "number" && Number.isInteger(value) && value >= 1 ? value : undefined;
}

/** An answer in one piece, its length given as an upstream would. */
export function answerJson(value: object): Response {
  return withLength(200, value);
}

/** An error in OpenAI's shape: platform.openai.com/docs/guides/error-codes. */
export function refuse(status: number, message: string, param: string | null = null): Response {
  return withLength(status, {
    error: { message, type: "invalid_request_error", param, code: null },
  });
}

function withLength(status: number, value: object): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const headers = {
    "content-type": "application/json",
    "content-length": String(bytes.byteLength),
  };
  return new Response(bytes, { status, headers });
}
