import type { KeyBook } from "../state/keys/key-book.ts";
import type { Io } from "./io.ts";
import type { KeyContext } from "./key.ts";
import {
  CommandError,
  onlyKey,
  readOptions,
  refusalText,
  runKeyCommand,
  withBook,
} from "./key-options.ts";

const HELP = `Usage: interlock key revoke ID|NAME [OPTIONS]

Ends a key and every text of it, for good. Running gateways refuse it within a second.

Options:
      --state-dir DIR  Where the store is
  -c, --config FILE    Whose database to use, as --database-url URL or DATABASE_URL
      --json           Print {"id", "revoked"}
`;

/** `interlock key revoke`. */
export function keyRevoke(argv: readonly string[], io: Io, context: KeyContext): Promise<number> {
  const act = async (): Promise<void> => {
    const { values, positionals } = readOptions(argv, {});
    const named = onlyKey(positionals);
    const now = context.clock.wall();
    const work = (book: KeyBook) => book.revoke(named, now);
    const done = await withBook(values, { io, context, work });
    if ("refused" in done) throw new CommandError(refusalText(named, done));
    if (values.json) io.stdout(`${JSON.stringify({ id: done.id, revoked: true })}\n`);
    else io.stdout(`Key ${done.id} is revoked.\n`);
  };
  return runKeyCommand({ name: "revoke", help: HELP, act }, argv, io);
}
