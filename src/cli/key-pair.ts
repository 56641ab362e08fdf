import { writeFileSync } from "node:fs";
import { publicKeyText, SEED_BYTES, signerOf } from "../wire/signed-key-mint.ts";
import type { Io } from "./io.ts";
import type { KeyContext } from "./key.ts";
import {
  CommandError,
  noPositionals,
  readOptions,
  runKeyCommand,
  UsageError,
} from "./key-options.ts";

const HELP = `Usage: interlock key pair --private-key FILE

Makes a signing key. Its seed goes into FILE, readable by you alone, which must not exist yet. Its
public key is printed: a gateway's configuration lists it under a kid. Keep FILE off the gateway.

Options:
      --private-key FILE  Where the seed goes
      --json              Print {"public_key", "private_key_file"}
`;

const OPTIONS = { "private-key": { type: "string" } } as const;

/** `interlock key pair`. */
export function keyPair(argv: readonly string[], io: Io, { random }: KeyContext): Promise<number> {
  const act = (): void => {
    const { values, positionals } = readOptions(argv, OPTIONS);
    noPositionals(positionals);
    const path = values["private-key"];
    if (path === undefined) throw new UsageError("say where the seed goes: --private-key FILE");
    const seed = Buffer.from(random.hex(SEED_BYTES), "hex");
    try {
      writeFileSync(path, `${seed.toString("base64")}\n`, { flag: "wx", mode: 0o600 });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "unwritable";
      const why = code === "EEXIST" ? "it is there already" : String(code);
      throw new CommandError(`the seed cannot be written to ${path}: ${why}`);
    }
    const publicKey = publicKeyText(signerOf(seed));
    if (!values.json) return io.stdout(`${publicKey}\n`);
    io.stdout(`${JSON.stringify({ public_key: publicKey, private_key_file: path })}\n`);
  };
  return runKeyCommand({ name: "pair", help: HELP, act }, argv, io);
}
