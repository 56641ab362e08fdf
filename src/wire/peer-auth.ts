import { createHmac, timingSafeEqual } from "node:crypto";

// How nodes that know one secret prove it to each other without saying it: a request names its
// moment and a number used once, an answer is bound to that number.

/** The header of a request and of its answer. */
export const PEER_HEADER = "x-interlock-peer";

export interface PeerProof {
  /** Since the epoch, by the asker's clock. */
  readonly ms: number;
  /** Sixteen bytes in hex. */
  readonly nonce: string;
}

const PROOF = /^(\d{1,15}) ([0-9a-f]{32}) ([0-9a-f]{64})$/;

/** The header of a request for `target`, the path with its query. */
export function askerHeader(secret: string, target: string, { ms, nonce }: PeerProof): string {
  return `${ms} ${nonce} ${mac(secret, ["ask", String(ms), nonce, target])}`;
}

/** Who asks, when the header was made with this secret for this target. */
export function readAsker(
  secret: string,
  target: string,
  header: string | null,
): PeerProof | undefined {
  const [, ms = "", nonce = "", code = ""] = PROOF.exec(header ?? "") ?? [];
  if (!isSame(code, mac(secret, ["ask", ms, nonce, target]))) return undefined;
  return { ms: Number(ms), nonce };
}

/** The header of the answer to a request with this number. */
export function answerHeader(secret: string, nonce: string, body: string): string {
  return mac(secret, ["answer", nonce, body]);
}

/** Whether an answer was made with this secret, to this request. */
export function isAnswer(
  secret: string,
  { nonce, body, header }: { nonce: string; body: string; header: string | null },
): boolean {
  return isSame(header ?? "", answerHeader(secret, nonce, body));
}

function mac(secret: string, parts: readonly string[]): string {
  return createHmac("sha256", secret).update(parts.join("\n")).digest("hex");
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
