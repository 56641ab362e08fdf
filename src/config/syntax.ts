import type { ErrorCode, LineCounter, YAMLError } from "yaml";
import type { Diagnostic } from "./config.ts";

/** One slip makes the parser stumble many times; the first few places are enough to find it. */
const REPORTED_MAX = 5;

/** What the parser found, in our words: its own quote the text, which may be a secret. */
export function syntaxErrors(
  found: readonly YAMLError[],
  lines: LineCounter,
): readonly Diagnostic[] {
  const byLine = new Map<number, Diagnostic>();
  for (const error of found) {
    const { line, col } = lines.linePos(error.pos[0]);
    if (byLine.has(line)) continue;
    const [reason, fix] = wordsFor(error.code);
    byLine.set(line, { path: `line ${line}, column ${col}`, reason, fix });
    if (byLine.size === REPORTED_MAX) break;
  }
  return [...byLine.values()];
}

function wordsFor(code: ErrorCode): readonly [reason: string, fix: string] {
  switch (code) {
    case "TAB_AS_INDENT":
      return ["a tab is used to indent", "indent with spaces"];
    case "BAD_INDENT":
      return ["the indentation does not fit the lines above", "line it up with its neighbours"];
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
    case "KEY_OVER_1024_CHARS":
      return [
        "a second `name:` where a value should be",
        "put it on a line of its own, or quote it",
      ];
    case "BAD_SCALAR_START":
      return ["a value begins with a character that YAML keeps for itself", "put it in quotes"];
    case "BAD_DQ_ESCAPE":
      return ["an unknown escape in double quotes", "use single quotes, or double the backslash"];
    case "MISSING_CHAR":
      return ["a colon, bracket or closing quote is missing", "add it"];
    case "UNEXPECTED_TOKEN":
    case "BLOCK_IN_FLOW":
      return ["this does not belong here", 'inside { } and [ ] write "${NAME}" in double quotes'];
    case "TAG_RESOLVE_FAILED":
    case "MULTIPLE_TAGS":
    case "BAD_COLLECTION_TYPE":
      return ["a `!tag` is not understood", "remove the tag"];
    case "MULTIPLE_DOCS":
      return ["a second document begins", "keep one document, without another ---"];
    case "NON_STRING_KEY":
      return ["a name is a list or a mapping", "use a plain name"];
    case "BAD_DIRECTIVE":
      return ["a % line is not understood", "remove it"];
    case "ALIAS_PROPS":
    case "BAD_ALIAS":
    case "BAD_PROP_ORDER":
    case "MULTIPLE_ANCHORS":
      return ["an anchor or alias is misused", "write the value out"];
    case "DUPLICATE_KEY":
      return ["a name is given twice", "keep one"];
    case "IMPOSSIBLE":
    case "RESOURCE_EXHAUSTION":
      return ["this is nested too deeply, or too much of it", "make it smaller"];
  }
}
