/** AWS, "Cross-region inference": a model id may begin with where it runs. */
const REGION = /^(us|us-gov|eu|apac|jp|au|ca|sa|global)\./;

/** What a billed model's name may be listed under, the nearest first. */
export interface ListedNames {
  readonly names: readonly string[];
  /** It pins a region; `global.` does not. */
  readonly regional: boolean;
}

/** Ends that say which build of a model it was; builds of one model mostly cost the same. */
const BUILD_ENDS = [
  /:\d+$/, // Bedrock: `…-v1:0`.
  /-v\d+$/, // Bedrock: `…-v1`.
  /@[\w-]+$/, // Vertex AI: `…@20250514`.
  /-\d{4}-\d{2}-\d{2}$/, // OpenAI.
  /-\d{8}$/, // Anthropic.
  /-00\d$/, // Gemini: `…-001`.
  /-latest$/,
] as const;

/**
 * Only what names a build is taken off, never a word of the model itself: a price of a neighbour
 * (`gpt-4o` for `gpt-4o-nano`) is worse than none.
 */
export function listedNames(model: string): ListedNames {
  let name = lastSegment(model.toLowerCase());
  const names = [name];
  const region = REGION.exec(name)?.[1];
  if (region !== undefined) names.push((name = name.slice(region.length + 1)));
  for (const end of BUILD_ENDS) {
    const shorter = name.replace(end, "");
    if (shorter !== name && shorter !== "") names.push((name = shorter));
  }
  return { names, regional: region !== undefined && region !== "global" };
}

/** Resource names end in the model's; other slashes are part of a name, as `openai/gpt-oss-20b`. */
function lastSegment(model: string): string {
  const isResource = /^(arn:|models\/|publishers\/|projects\/)/.test(model);
  return isResource ? model.slice(model.lastIndexOf("/") + 1) : model;
}
