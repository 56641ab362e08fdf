import { readSigners } from "../wire/signed-key-signers.ts";
import type { SignedKeysConfig } from "./config.ts";
import { readDeny } from "./deny.ts";
import { type Findings, finding } from "./findings.ts";
import { limitsOf } from "./limits.ts";
import type { FileConfig } from "./schema.ts";

/** The signers of `signed_keys:`. An empty list is an error: it would take nobody's key. */
export function readSignedKeys(
  { signed_keys: entry }: FileConfig,
  findings: Findings,
): SignedKeysConfig | undefined {
  if (entry === undefined || entry === null) return undefined;
  const listed = (entry.public_keys ?? []).filter((each) => each !== undefined);
  const signers = readSigners(
    listed.map(({ kid, key }) => ({ kid: kid ?? Number.NaN, publicKey: key ?? "" })),
  );
  if (areProblems(signers)) {
    for (const { kid, reason, fix } of signers) {
      const path = ["signed_keys", "public_keys", ...(kid === undefined ? [] : [String(kid)])];
      findings.errors.push(finding(path, reason, fix));
    }
    return undefined;
  }
  const { privacy } = entry;
  const allow = entry.allow?.filter((name) => name !== undefined);
  return { signers, deny: readDeny(entry, findings), privacy, allow, limits: limitsOf(entry) };
}

type Read = ReturnType<typeof readSigners>;

function areProblems(read: Read): read is Exclude<Read, ReadonlyMap<number, unknown>> {
  return Array.isArray(read);
}
