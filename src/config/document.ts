import { LineCounter, type ParsedNode, parseDocument } from "yaml";
import type { Diagnostic } from "./config.ts";
import type { Environment } from "./expand.ts";
import { syntaxErrors } from "./syntax.ts";
import { readTree, type Tree } from "./tree.ts";

/** A file as plain values, variables put in. */
export interface Document {
  /** An object, or undefined when nothing could be read at all. */
  readonly tree: Tree | undefined;
  /** For each scalar that came from the environment: its path, and what the file says there. */
  readonly written: ReadonlyMap<string, string>;
  readonly errors: readonly Diagnostic[];
}

const TEXT_LENGTH_MAX = 4 * 1024 * 1024;

/** Reads YAML text. Every error comes back; nothing is thrown, whatever the text. */
export function readDocument(text: string, env: Environment): Document {
  const lines = new LineCounter();
  const parsed = text.length > TEXT_LENGTH_MAX ? "is larger than 4 MiB" : parse(text, lines);
  if (typeof parsed === "string") {
    return unreadable([{ path: "(the whole file)", reason: parsed, fix: "make it smaller" }]);
  }
  const errors = syntaxErrors([...parsed.errors, ...parsed.warnings], lines);
  if (errors.length > 0) return unreadable(errors);
  if (parsed.directives?.yaml.version !== "1.2") {
    const reason = "asks for an old version of YAML";
    return unreadable([{ path: "line 1", reason, fix: "remove the %YAML line" }]);
  }
  return readTree(parsed.contents, { env, lineOf: (offset) => lines.linePos(offset).line });
}

function unreadable(errors: readonly Diagnostic[]): Document {
  return { tree: undefined, written: new Map(), errors };
}

function parse(text: string, lineCounter: LineCounter) {
  try {
    return parseDocument<ParsedNode>(text, {
      lineCounter,
      stringKeys: true,
      // Found in tree.ts, where the path is known.
      uniqueKeys: false,
      resolveKnownTags: false,
      // A pretty error quotes the line it stands on, and with it whatever secret is there.
      prettyErrors: false,
      logLevel: "error",
    });
  } catch (cause) {
    if (cause instanceof RangeError) return "is nested too deeply";
    throw cause;
  }
}
