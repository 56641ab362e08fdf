import type { KeyBook } from "../state/keys/key-book.ts";
import { keyJson, momentText } from "../state/keys/key-json.ts";
import type { Io } from "./io.ts";
import type { KeyContext } from "./key.ts";
import {
  CommandError,
  onlyKey,
  readDuration,
  readOptions,
  refusalText,
  runKeyCommand,
  withBook,
} from "./key-options.ts";

const HELP = `Usage: interlock key rotate ID|NAME [OPTIONS]

Gives a key a new text, shown this once. Its id, limits, budget and history stay. The text it had
works on until the overlap ends.

Options:
      --overlap DURATION  How long the old text works on: 24h, 30m, 0 [default: 24h]
      --state-dir DIR     Where the store is
  -c, --config FILE       Whose database to use, as --database-url URL or DATABASE_URL
      --json              Print the key and all about it as JSON
`;

const OPTIONS = { overlap: { type: "string", default: "24h" } } as const;

/** `interlock key rotate`. */
export function keyRotate(argv: readonly string[], io: Io, context: KeyContext): Promise<number> {
  const act = async (): Promise<void> => {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const named = onlyKey(positionals);
    const overlap = readDuration("overlap", values.overlap);
    const now = context.clock.wall();
    const work = (book: KeyBook) => book.rotate(named, { now, overlap });
    const done = await withBook(values, { io, context, work });
    if ("refused" in done) throw new CommandError(refusalText(named, done));
    const ends = momentText(done.overlapEnds);
    if (values.json) {
      const { text, key } = done;
      io.stdout(`${JSON.stringify({ key: text, ...keyJson(key), overlap_ends: ends })}\n`);
      return;
    }
    io.stdout(`${done.text}\n`);
    io.stderr(`Key ${done.key.id} (${done.key.name}): the text it had ends ${ends}.\n`);
  };
  return runKeyCommand({ name: "rotate", help: HELP, act }, argv, io);
}
