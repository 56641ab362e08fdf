import type { KeyConfig } from "../config/config.ts";
import { UNLIMITED } from "../core/limits.ts";
import { Rejection } from "../core/rejection.ts";
import type { Chunk, Ms } from "../core/units.ts";
import { readAuthorization, verifyRequest } from "../wire/sigv4-verify.ts";
import type { Key, KeyRing } from "./authenticate.ts";

/** What a signed request says it is signed with; nothing of it is proven yet. */
export interface Claim {
  readonly secretAccessKey: string;
  /** Why the key opens nothing now: told to whoever proves to have it. */
  readonly ended: Rejection | undefined;
}

const UNKNOWN = "this API key is not known here";
/** Signatures of a key that does not exist are checked too, so that time tells nothing. */
const NOBODY = "a key that signs nothing";

/**
 * The key an AWS signature names: its id is the access key, its text the secret (features.md row
 * 52). Whether that is so, `prove` says.
 */
export function claimed(
  authorization: string,
  ring: KeyRing,
  standing: (key: Key) => Rejection | undefined,
): Key | Rejection {
  const read = readAuthorization(authorization);
  if (read === undefined) {
    const detail = "the AWS signature cannot be read: sign with Signature Version 4";
    return new Rejection({ kind: "unauthenticated", detail });
  }
  const key = ring.byId.get(read.accessKeyId);
  const secretAccessKey = key?.secret?.expose() ?? NOBODY;
  const ended = key && standing(key);
  return { ...(key ?? stranger(read.accessKeyId)), claim: { secretAccessKey, ended } };
}

/** Carries a claim that cannot be proven: it is refused like a wrong signature. */
function stranger(id: string): Omit<KeyConfig, "digest" | "secret"> {
  const none = undefined;
  return {
    ...{ id, privacy: "private", allow: [], streamFailure: none, onLoss: none },
    limits: UNLIMITED,
  };
}

/** What a claim is told before it is proven, whatever it asked for. */
export function unknown(): Rejection {
  return new Rejection({ kind: "unauthenticated", detail: UNKNOWN });
}

/** A signature covers the body, which only a call's path reads before it answers. */
export function onlyCalls(): Rejection {
  const detail = "AWS signatures are taken for calls only: send the key as 'Bearer KEY' here";
  return new Rejection({ kind: "unauthenticated", detail });
}

export interface ProofOptions {
  readonly body: Chunk;
  /** The wall clock: a signature is good for five minutes. */
  readonly at: Ms;
}

/** Undefined when the request was signed with the key it claims; else its refusal. */
export function prove(
  { secretAccessKey, ended }: Claim,
  http: globalThis.Request,
  { body, at }: ProofOptions,
): Rejection | undefined {
  const target = http.url.slice(http.url.indexOf("/", http.url.indexOf("//") + 2));
  const mark = target.indexOf("?");
  const signed = {
    method: http.method,
    host: http.headers.get("host") ?? "",
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? "" : target.slice(mark + 1),
    headers: Object.fromEntries(http.headers),
    body,
  };
  const check = verifyRequest(signed, { secretAccessKey, at, service: "bedrock" });
  if (check.ok) return ended;
  const late = "the AWS signature is more than five minutes off: set the clock of the client";
  const detail = check.why === "skew" ? late : UNKNOWN;
  return new Rejection({ kind: "unauthenticated", detail });
}
