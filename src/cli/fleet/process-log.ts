import { fstatSync } from "node:fs";
import type { Config } from "../../config/config.ts";
import { systemClock } from "../../runtime/clock.ts";
import { BufferedLog, descriptorWriter } from "../../runtime/log.ts";

/** A pipe takes this much whole or not at all (limits.h, PIPE_BUF): pieces never interleave. */
export const PIECE_BYTES = 4096;

/** The log of one process of several that write to the same standard output. */
export function sharedLog(level: Config["logLevel"]): BufferedLog {
  const write = inPieces(descriptorWriter(1));
  return new BufferedLog({ clock: systemClock, level, format: formatOfStdout(), write });
}

function formatOfStdout(): "pretty" | "json" {
  const mayBeTerminal = fstatSync(1).isCharacterDevice();
  const isTerminal = mayBeTerminal && process.getBuiltinModule("node:tty").isatty(1);
  return isTerminal ? "pretty" : "json";
}

/** Writes whole lines, as many at a time as a pipe takes in one piece; a longer one alone. */
export function inPieces(write: (text: string) => Promise<void>): (text: string) => Promise<void> {
  return async (text) => {
    for (const piece of piecesOf(text)) await write(piece);
  };
}

export function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  let bytes = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const length = Buffer.byteLength(line);
    if (piece !== "" && bytes + length > PIECE_BYTES) {
      pieces.push(piece);
      piece = "";
      bytes = 0;
    }
    piece += line;
    bytes += length;
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}
