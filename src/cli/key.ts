import type { Clock, Random } from "../runtime/runtime.ts";
import { EXIT, type Io } from "./io.ts";

/** What the key commands need besides the terminal. */
export interface KeyContext {
  /** Where the store is unless `--state-dir` or a database names another place. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Who works, as the audit log names them. */
  readonly by: string;
}

type Subcommand = (argv: readonly string[], io: Io, context: KeyContext) => Promise<number>;

/** Each loaded when called, so that one does not pay for the others' start. */
const SUBCOMMANDS: ReadonlyMap<string, () => Promise<Subcommand>> = new Map([
  ["create", async () => (await import("./key-create.ts")).keyCreate],
  ["list", async () => (await import("./key-list.ts")).keyList],
  ["revoke", async () => (await import("./key-revoke.ts")).keyRevoke],
  ["rotate", async () => (await import("./key-rotate.ts")).keyRotate],
  ["mint", async () => (await import("./key-mint.ts")).keyMint],
  ["pair", async () => (await import("./key-pair.ts")).keyPair],
]);

export const KEY_HELP = `interlock key: the keys that callers show.

Stored keys live in the state directory, as a hash; they can be limited and revoked:
  key create  Make one. Its text is shown once, on standard output.
  key list    Every key, with its limits. Never a text, never a hash.
  key revoke  End one for good, in every worker, within a second.
  key rotate  Give one a new text; the old one works on for a while.

Signed keys are stored nowhere; whoever has a signing key makes them:
  key pair    Make a signing key: the seed into a file, the public key on standard output.
  key mint    Make the signed key of a tenant. The same words make the same key.

Options of each: interlock key COMMAND --help
`;

/** `interlock key COMMAND`. */
export async function key(argv: readonly string[], io: Io, context: KeyContext): Promise<number> {
  const [name, ...rest] = argv;
  if (name === "--help" || name === "-h" || name === "help") {
    io.stdout(KEY_HELP);
    return EXIT.ok;
  }
  const load = name === undefined ? undefined : SUBCOMMANDS.get(name);
  if (load !== undefined) return (await load())(rest, io, context);
  const why = name === undefined ? "say which key command" : `no key command '${name}'`;
  io.stderr(`interlock: ${why}: ${[...SUBCOMMANDS.keys()].join(", ")}. interlock key --help\n`);
  return EXIT.usage;
}
