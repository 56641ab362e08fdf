import { Secret } from "../core/secret.ts";
import { readSigningKeys, signingKeysOf } from "./aws.ts";
import type { CatalogueRow } from "./catalogue.ts";
import { type Environment, firstVariable, variable } from "./env.ts";
import { isVariableName } from "./expand.ts";
import { type Findings, finding } from "./findings.ts";
import { say } from "./path.ts";
import type { FileProvider } from "./schema.ts";

/** Where a provider's key may come from. */
export interface CredentialOptions {
  readonly name: string;
  readonly entry: NonNullable<FileProvider>;
  readonly row: CatalogueRow | undefined;
  readonly env: Environment;
  readonly findings: Findings;
}

/** A key that can stand in an HTTP header: visible ASCII, and no space at its ends. */
const HEADER_SAFE = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

/** The provider's own key: from the file, from the variable the file names, or the vendor's. */
export function readCredential(options: CredentialOptions): Secret | undefined {
  const { name, entry, findings } = options;
  const path = ["providers", name, "api_key"];
  if (entry.api_key !== undefined && entry.api_key_env !== undefined) {
    const reason = "both api_key and api_key_env are given";
    findings.errors.push(finding(path, reason, "keep one of them"));
    return undefined;
  }
  if (entry.api_key !== undefined) return checked(entry.api_key, options, path);
  if (entry.api_key_env !== undefined) return fromNamed(entry.api_key_env, options);
  const found = firstVariable(options.env, options.row?.keyVariables ?? []);
  if (found === undefined) return fromAws(options, path);
  findings.origins.set(say(path), found.by);
  return checked(found.value, options, path);
}

/** Whether a credential signs calls instead of going along with them. */
export function signs(credential: Secret | undefined): boolean {
  return credential?.expose().includes("\n") === true;
}

function fromAws(
  { env, findings, row, entry }: CredentialOptions,
  path: readonly string[],
): Secret | undefined {
  if ((entry.protocol ?? row?.dialect) !== "bedrock") return undefined;
  const keys = signingKeysOf(env);
  if (keys === undefined) return undefined;
  findings.origins.set(say(path), keys.by);
  return keys.secret;
}

function fromNamed(name: string, options: CredentialOptions): Secret | undefined {
  const path = ["providers", options.name, "api_key_env"];
  const value = namedVariable(name, options.env);
  if ("reason" in value) {
    options.findings.errors.push(finding(path, value.reason, value.fix));
    return undefined;
  }
  options.findings.origins.set(say(["providers", options.name, "api_key"]), name);
  return checked(value.text, options, path);
}

/** The value of a variable that the file names, or why there is none. */
export function namedVariable(
  name: string,
  env: Environment,
): { readonly text: string } | { readonly reason: string; readonly fix: string } {
  if (!isVariableName(name)) {
    // Not quoted: people put the key itself here.
    const fix = "give the name of a variable, without ${ }";
    return { reason: "is not the name of a variable", fix };
  }
  const text = variable(env, name);
  if (text !== undefined) return { text };
  return { reason: `${name} is not set, or empty`, fix: `set ${name} in the environment` };
}

function checked(
  text: string,
  { findings, row, entry }: CredentialOptions,
  path: readonly string[],
): Secret | undefined {
  if ((entry.protocol ?? row?.dialect) === "bedrock") {
    const keys = readSigningKeys(text);
    if (keys !== undefined) return keys;
  }
  const reason = unsendable(text);
  if (reason === undefined) return new Secret(text);
  findings.errors.push(finding(path, reason.reason, reason.fix));
  return undefined;
}

/** Why a key cannot be sent in a header; undefined when it can. */
export function unsendable(
  text: string,
): { readonly reason: string; readonly fix: string } | undefined {
  if (text.trim() === "") return { reason: "the key is empty", fix: "give it a value" };
  if (HEADER_SAFE.test(text)) return undefined;
  const reason = "the key has a line break, a space at an end, or a character no header can carry";
  return { reason, fix: "give the key alone, without quotes or a final line break" };
}
