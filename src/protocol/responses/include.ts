import { isList } from "../ir/fields.ts";
import type { Json } from "../ir/json.ts";

/** What of `include` the representation has members for. */
const SEALED = "reasoning.encrypted_content";
const LOGPROBS = "message.output_text.logprobs";

/** A request's `include`. */
export interface Include {
  readonly sealed: boolean;
  readonly logprobs: boolean;
  /** What comes back beside them; undefined when nothing does. */
  readonly rest: Json | undefined;
}

/** A list that would not be spelled the same again stays with the rest, whole. */
export function readInclude(value: Json | undefined): Include {
  if (!isList(value)) return { sealed: false, logprobs: false, rest: value };
  const sealed = value.includes(SEALED);
  const logprobs = value.includes(LOGPROBS);
  const said = wanted({ sealed, logprobs });
  const rest = value.filter((word) => !said.includes(word as string));
  const isSameAgain = said.length > 0 && equal([...said, ...rest], value);
  if (!isSameAgain) return { sealed, logprobs, rest: value };
  return { sealed, logprobs, rest: rest.length > 0 ? rest : undefined };
}

/** The list to send: what is asked, then the rest, unless the rest is the whole list. */
export function writeInclude(
  asked: Pick<Include, "sealed" | "logprobs">,
  rest: Json | undefined,
): Json | undefined {
  const said = wanted(asked);
  if (!isList(rest)) return said.length > 0 ? said : rest;
  return said.every((word) => rest.includes(word)) ? rest : [...said, ...rest];
}

function wanted({ sealed, logprobs }: Pick<Include, "sealed" | "logprobs">): readonly string[] {
  return [...(sealed ? [SEALED] : []), ...(logprobs ? [LOGPROBS] : [])];
}

function equal(some: readonly Json[], others: readonly Json[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
