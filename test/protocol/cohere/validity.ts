import { V2ChatRequest } from "../../../node_modules/cohere-ai/serialization/resources/v2/client/requests/V2ChatRequest.js";
import { V2ChatResponse } from "../../../node_modules/cohere-ai/serialization/resources/v2/types/V2ChatResponse.js";

const STRICT = {
  unrecognizedObjectKeys: "fail",
  allowUnrecognizedUnionMembers: false,
  allowUnrecognizedEnumValues: false,
} as const;

interface Checked {
  readonly ok: boolean;
  readonly errors?: readonly { readonly path: readonly string[]; readonly message: string }[];
}

/** What the official SDK's own schema finds wrong with a request's body, as `path: message`. */
export function problemsOfRequest(body: unknown): readonly string[] {
  const { stream: _, ...rest } = body as { readonly stream?: boolean };
  return problems(V2ChatRequest.parse(rest as never, STRICT) as Checked);
}

/** The same for an answer's body. */
export function problemsOfAnswer(body: unknown): readonly string[] {
  return problems(V2ChatResponse.parse(body as never, STRICT) as Checked);
}

function problems({ errors = [] }: Checked): readonly string[] {
  return errors.map(({ path, message }) => `${path.join(".")}: ${message}`);
}
