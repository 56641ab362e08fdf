import { mintSignedKey, publicKeyText } from "../wire/signed-key-mint.ts";
import { KID_MAX } from "../wire/signed-key.ts";
import { readTenant } from "../state/keys/deny-source.ts";
import type { Io } from "./io.ts";
import type { KeyContext } from "./key.ts";
import { noPositionals, readOptions, runKeyCommand, UsageError } from "./key-options.ts";
import { readSigner } from "./key-seed.ts";

const HELP = `Usage: interlock key mint --kid N --tenant T --vpc V --private-key FILE|env:NAME

Makes the signed key of a tenant (bai_v1). It is stored nowhere and made of these words alone: the
same ones make the same key. It ends when its kid leaves the configuration, or with a denial.

Options:
      --kid N              The number of the signing key in the configuration
      --tenant T           The tenant's number, below 2^64
      --vpc V              The network's number, below 2^64
      --private-key WHERE  The signing key: a file, or env:NAME for a variable. 32 bytes, their
                           base64 or hex, or a PEM
      --json               Print {"key", "kid", "tenant", "vpc", "public_key"}
`;

const OPTIONS = {
  kid: { type: "string" },
  tenant: { type: "string" },
  vpc: { type: "string" },
  "private-key": { type: "string" },
} as const;

/** `interlock key mint`. The store is not touched. */
export function keyMint(argv: readonly string[], io: Io, _context: KeyContext): Promise<number> {
  const act = (): void => {
    const { values, positionals } = readOptions(argv, OPTIONS);
    noPositionals(positionals);
    const named = values["private-key"];
    if (named === undefined) throw new UsageError("say where the signing key is: --private-key");
    const kid = readNumber("kid", values.kid);
    if (kid > KID_MAX) throw new UsageError(`--kid ${kid}: give one up to ${KID_MAX}`);
    const tenant = readNumber("tenant", values.tenant);
    const vpc = readNumber("vpc", values.vpc);
    const signer = readSigner(named, io);
    const key = mintSignedKey({ kid: Number(kid), tenant, vpc }, signer);
    if (!values.json) return io.stdout(`${key}\n`);
    // As text: the numbers are wider than most programs' own.
    const said = { kid: Number(kid), tenant: String(tenant), vpc: String(vpc) };
    io.stdout(`${JSON.stringify({ key, ...said, public_key: publicKeyText(signer) })}\n`);
  };
  return runKeyCommand({ name: "mint", help: HELP, act }, argv, io);
}

function readNumber(option: string, text: string | undefined): bigint {
  if (text === undefined) throw new UsageError(`--${option} is missing`);
  const number = readTenant(text);
  if (number !== undefined) return number;
  throw new UsageError(`--${option} ${text}: give a whole number below 2^64`);
}
