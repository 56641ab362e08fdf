import { timingSafeEqual } from "node:crypto";
import { foreignObject, parseForeign } from "../../wire/foreign.ts";
import type { ProofFamily, Signed } from "../ir/block.ts";

/** What a proof vouches for, which is where it belongs when it comes back. */
export type ProofKind = "reasoning" | "sealed" | "call" | "text";
const KINDS: readonly string[] = ["reasoning", "sealed", "call", "text"] satisfies ProofKind[];
const FAMILIES: readonly string[] = [
  "anthropic",
  "openai",
  "google",
  "other",
] satisfies ProofFamily[];

/** A vendor's proof on its way through another vendor's opaque slot. */
export interface Proof {
  readonly family: ProofFamily;
  readonly kind: ProofKind;
  readonly value: string;
  /** Written only where it is not `plain`. */
  readonly encoding?: Signed["encoding"] | undefined;
  /** The call it vouches for. */
  readonly callId?: string | undefined;
  /** Where the text stands it vouches for: the one before, or an empty one in this very place. */
  readonly place?: "after" | "alone" | undefined;
}

/** Wraps foreign proofs so that a client cannot make one up: ir.md §4 rule 8. */
export interface Proofs {
  wrap(proof: Proof): string;
  /** Undefined: no envelope, so it is a vendor's own value. */
  unwrap(value: string): Proof | undefined | "forged";
  /** Those of one tenant: what is wrapped for it, nobody else can open, nor it what others have. */
  of(tenant: string): Proofs;
}

const PREFIX = "gw1.";
/** How base64 of the prefix begins: the wires whose slot is bytes have that layer. */
const LAYERED_PREFIX = "Z3cxL";
const ENVELOPE = /^gw1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})$/;
const MAC_BYTES = 16;

/** `key` is the gateway's own: an envelope of another key counts as forged. */
export function createProofs(key: Uint8Array): Proofs {
  if (key.length === 0) throw new Error("an empty key would let anyone forge an envelope");
  return proofsWith(() => key);
}

/** The key is made when it is needed: most requests carry no proofs. */
function proofsWith(keyOf: () => Uint8Array): Proofs {
  let made: Uint8Array | undefined;
  const own = (): Uint8Array => (made ??= keyOf());
  return {
    wrap(proof) {
      const { family, kind, value, callId, place } = proof;
      const encoding = proof.encoding === "plain" ? undefined : proof.encoding;
      const json = JSON.stringify({ family, kind, value, encoding, callId, place });
      const signed = PREFIX + Buffer.from(json).toString("base64url");
      return `${signed}.${macOf(own(), signed)}`;
    },
    unwrap(value) {
      if (value.startsWith(PREFIX)) return opened(own(), value);
      if (!value.startsWith(LAYERED_PREFIX)) return undefined;
      return opened(own(), Buffer.from(value, "base64").toString("latin1"));
    },
    of: (tenant) =>
      proofsWith(() => new Bun.CryptoHasher("sha256", own()).update(`tenant ${tenant}`).digest()),
  };
}

/** An envelope as a wire spells it whose slot is bytes. */
export function layered(envelope: string): string {
  return Buffer.from(envelope).toString("base64");
}

function opened(key: Uint8Array, envelope: string): Proof | "forged" {
  const [, payload, mac] = ENVELOPE.exec(envelope) ?? [];
  if (payload === undefined || mac === undefined) return "forged";
  const wanted = macOf(key, PREFIX + payload);
  if (!timingSafeEqual(Buffer.from(mac), Buffer.from(wanted))) return "forged";
  return proofOf(parseForeign(Buffer.from(payload, "base64url"))) ?? "forged";
}

function macOf(key: Uint8Array, text: string): string {
  const mac = new Bun.CryptoHasher("sha256", key).update(text).digest();
  return mac.subarray(0, MAC_BYTES).toString("base64url");
}

/** Undefined for what no version of this wrote: the MAC was right, so that is another release. */
function proofOf(value: unknown): Proof | undefined {
  const json = foreignObject(value);
  if (json === undefined || typeof json["value"] !== "string") return undefined;
  if (!KINDS.includes(String(json["kind"]))) return undefined;
  if (!FAMILIES.includes(String(json["family"]))) return undefined;
  return json as unknown as Proof;
}

const MARKS = [`"${PREFIX}`, `"${LAYERED_PREFIX}`].map((mark) => Buffer.from(mark));
const search = Buffer.prototype.includes;

/** Whether a body may hold an envelope of ours: a look that costs next to nothing. */
export function holdsProofs(body: Uint8Array): boolean {
  return MARKS.some((mark) => search.call(body, mark));
}
