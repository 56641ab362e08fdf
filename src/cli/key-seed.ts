import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { SEED_BYTES, signerOf } from "../wire/signed-key-mint.ts";
import { CommandError } from "./key-options.ts";
import type { Io } from "./io.ts";

const WANTED = "32 bytes, their base64 or hex, or a PKCS #8 PEM of an Ed25519 key";

/** Says that the signing key is in a variable. On the command line itself anybody could read it. */
const ENV_PREFIX = "env:";

/** The signer that `--private-key` names: a file, or a variable as `env:NAME`. */
export function readSigner(named: string, io: Io): KeyObject {
  const bytes = named.startsWith(ENV_PREFIX)
    ? variableBytes(named.slice(ENV_PREFIX.length), io)
    : fileBytes(named);
  const signer = bytes.length === SEED_BYTES ? signerOf(bytes) : signerOfText(bytes.toString());
  if (signer === undefined) throw new CommandError(`${named} is no signing key: give ${WANTED}`);
  return signer;
}

function fileBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "unreadable";
    throw new CommandError(`the signing key ${path} cannot be read (${code})`);
  }
}

function variableBytes(name: string, io: Io): Buffer {
  const text = io.env[name];
  if (text === undefined || text === "") throw new CommandError(`the variable ${name} is not set`);
  return Buffer.from(text);
}

function signerOfText(written: string): KeyObject | undefined {
  const text = written.trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return signerOf(Buffer.from(text, "hex"));
  if (/^[\w+/-]{43}=?$/.test(text)) return signerOf(Buffer.from(text, "base64"));
  if (!text.startsWith("-----BEGIN")) return undefined;
  try {
    const signer = createPrivateKey(text);
    return signer.asymmetricKeyType === "ed25519" ? signer : undefined;
  } catch {
    return undefined; // The reason may quote the key.
  }
}
