import { Secret } from "../core/secret.ts";
import { type Environment, firstVariable, variable } from "./env.ts";

/** The keys that sign calls to AWS, as upstream/sign.ts takes them apart: one to a line. */
export function signingSecret(parts: readonly string[]): Secret {
  return new Secret(parts.join("\n"));
}

/** `ACCESS:SECRET[:SESSION]`, as features.md b-R6 has it; undefined when it is not that. */
export function readSigningKeys(text: string): Secret | undefined {
  const parts = text.split(":");
  const isKeys = (parts.length === 2 || parts.length === 3) && /^[A-Z0-9]{16,128}$/.test(parts[0]!);
  return isKeys ? signingSecret(parts) : undefined;
}

/** AWS's standard variables: AWS SDKs and Tools Reference Guide, "Environment variables". */
export function signingKeysOf(
  env: Environment,
): { readonly secret: Secret; readonly by: string } | undefined {
  const id = variable(env, "AWS_ACCESS_KEY_ID");
  const secret = variable(env, "AWS_SECRET_ACCESS_KEY");
  if (id === undefined || secret === undefined) return undefined;
  const session = variable(env, "AWS_SESSION_TOKEN");
  const parts = session === undefined ? [id, secret] : [id, secret, session];
  return { secret: signingSecret(parts), by: "AWS_ACCESS_KEY_ID" };
}

/** The address of a service in a region: the given one, else that of the variables. */
export function regionalUrl(
  template: string,
  given: string | undefined,
  { env, variables }: { readonly env: Environment; readonly variables: readonly string[] },
): string | undefined {
  const region = given ?? firstVariable(env, variables)?.value;
  if (region === undefined || !/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region)) return undefined;
  return template.replace("{region}", region);
}
