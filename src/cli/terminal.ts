import { readFile } from "node:fs/promises";
import type { Io } from "./io.ts";

/** The real terminal, file system and environment. */
export const terminal: Io = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  readFile: (path) => readFile(path, "utf8"),
  env: process.env,
};
