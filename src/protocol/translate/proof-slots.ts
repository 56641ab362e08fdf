import type { DialectId } from "../../core/ids.ts";
import type { ProofFamily, Signed } from "../ir/block.ts";
import { layered, type Proof, type ProofKind, type Proofs } from "./proofs.ts";

/** The two places of a reasoning block. */
export type ReasoningSlot = "signature" | "sealed";

/** What one wire has room for: protocols.md 3.9. */
interface Slots {
  /** What its own family's proofs stand for, as the vendor itself spells them. */
  readonly own: readonly ProofKind[];
  /** Where an envelope stands in a reasoning block, by what is in it; undefined: nowhere. */
  readonly envelope: Readonly<Record<ProofKind, ReasoningSlot>> | undefined;
  /** Calls and texts have a place of their own. */
  readonly onParts: boolean;
  /** The slot is bytes in the vendor's types, so an envelope must be base64 as a whole. */
  readonly isBytes: boolean;
  /** Sealed reasoning has one more layer of base64. */
  readonly layersSeals: boolean;
}

const ALWAYS_SIGNATURE = {
  reasoning: "signature",
  sealed: "signature",
  call: "signature",
  text: "signature",
} as const;
const ALWAYS_SEALED = {
  reasoning: "sealed",
  sealed: "sealed",
  call: "sealed",
  text: "sealed",
} as const;
const PLAIN = { onParts: false, isBytes: false, layersSeals: false } as const;

const SLOTS: Readonly<Record<DialectId, Slots>> = {
  openai: {
    ...PLAIN,
    own: ["reasoning", "sealed", "call", "text"],
    envelope: { ...ALWAYS_SEALED, reasoning: "signature" },
  },
  responses: { ...PLAIN, own: ["sealed"], envelope: ALWAYS_SEALED },
  // A seal beside shown text has no place but the signature: redacted blocks show none.
  anthropic: { ...PLAIN, own: ["reasoning", "sealed"], envelope: ALWAYS_SIGNATURE },
  bedrock: {
    ...PLAIN,
    own: ["reasoning", "sealed"],
    envelope: ALWAYS_SIGNATURE,
    layersSeals: true,
  },
  gemini: {
    own: ["reasoning", "call", "text"],
    envelope: ALWAYS_SIGNATURE,
    onParts: true,
    isBytes: true,
    layersSeals: false,
  },
  cohere: { ...PLAIN, own: [], envelope: undefined },
};

/** The family whose proofs a wire's reader takes for its own. */
const HOME: Readonly<Record<DialectId, ProofFamily>> = {
  openai: "openai",
  responses: "openai",
  anthropic: "anthropic",
  bedrock: "anthropic",
  gemini: "google",
  cohere: "other",
};

/** Where a proof stands for a client. */
export interface PlacedProof {
  readonly slot: ReasoningSlot;
  readonly signed: Signed;
  /** It is in an envelope of ours. */
  readonly isWrapped: boolean;
}

/** How one client's protocol carries the proofs of one upstream. */
export interface ProofSlots {
  /** Calls and texts have a place of their own. */
  readonly onParts: boolean;
  /** The upstream's calls and texts may have proofs. */
  readonly fromParts: boolean;
  /** Undefined: the client's protocol has no place for any proof. */
  place(
    signed: Signed,
    proof: Omit<Proof, "family" | "value" | "encoding">,
  ): PlacedProof | undefined;
}

/** Both ends of a call, and the key to its envelopes. */
export interface ProofSlotOptions {
  readonly client: DialectId;
  readonly clientFamily: ProofFamily;
  readonly upstream: DialectId;
  /** Whose proofs the model that answered takes back. */
  readonly upstreamFamily: ProofFamily;
  readonly proofs: Proofs;
}

/** How `client` carries what `upstream` proves. */
export function proofSlots(options: ProofSlotOptions): ProofSlots {
  const { client, clientFamily, upstream, upstreamFamily, proofs } = options;
  const slots = SLOTS[client];
  return {
    onParts: slots.onParts,
    // Google's own OpenAI surface has them as well, beside the call's function.
    fromParts: SLOTS[upstream].onParts || (upstream === "openai" && upstreamFamily === "google"),
    place(given, { kind, callId, place }) {
      // A wire's reader cannot know which vendor's model answers on it; its capabilities do.
      const family = given.family === HOME[upstream] ? upstreamFamily : given.family;
      if (family === clientFamily && slots.own.includes(kind)) {
        const signed = kind === "sealed" ? relayered(given, slots.layersSeals) : given;
        const isSealed = kind === "sealed" || (kind !== "reasoning" && !slots.onParts);
        if (signed !== undefined) {
          return { slot: isSealed ? "sealed" : "signature", signed, isWrapped: false };
        }
      }
      if (slots.envelope === undefined) return undefined;
      const { value, encoding } = given;
      const envelope = proofs.wrap({ family, kind, value, encoding, callId, place });
      const wrapped = slots.isBytes ? layered(envelope) : envelope;
      const signed: Signed = { value: wrapped, encoding: "plain", family: clientFamily };
      return { slot: slots.envelope[kind], signed, isWrapped: true };
    },
  };
}

/** A seal as `target` spells it; as it is where it has another layer than one can take off. */
export function sealFor(target: DialectId, sealed: Signed): Signed {
  return relayered(sealed, SLOTS[target].layersSeals) ?? sealed;
}

/** Bedrock's extra layer of base64 put on or taken off: protocols.md 1, finding 13. */
function relayered(signed: Signed, isLayered: boolean): Signed | undefined {
  const { value, encoding, family } = signed;
  if (isLayered === (encoding === "base64-of-plain")) return signed;
  const layeredValue = Buffer.from(value).toString("base64");
  if (isLayered) {
    if (!value.isWellFormed()) return undefined;
    return { value: layeredValue, encoding: "base64-of-plain", family };
  }
  const bare = Buffer.from(value, "base64").toString();
  if (Buffer.from(bare).toString("base64") !== value) return undefined;
  return { value: bare, encoding: "plain", family };
}
