import { isAlias, isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import type { Diagnostic } from "./config.ts";
import { type Environment, expand } from "./expand.ts";
import { type Path, say } from "./path.ts";

/** A mapping of the file. Without a prototype: no name finds anything but what the file has. */
export interface Tree {
  [name: string]: unknown;
}

/** What reading a tree needs to know. */
export interface TreeOptions {
  readonly env: Environment;
  readonly lineOf: (offset: number) => number;
}

/** One pass over the parsed nodes. */
interface Walk extends TreeOptions {
  readonly anchors: Map<string, unknown>;
  readonly written: Map<string, string>;
  readonly errors: Diagnostic[];
  nodesLeft: number;
}

/** Where a node stands. */
interface Place {
  readonly path: Path;
  /** Inside a block that says `enabled: false`, where an unset variable harms nobody. */
  readonly disabled: boolean;
}

const DEPTH_MAX = 24;
/** Counted with every alias followed, so that nested aliases cannot multiply without end. */
const NODES_MAX = 50_000;

/** Makes plain values of parsed nodes: aliases followed, variables put in, doubled names found. */
export function readTree(contents: unknown, options: TreeOptions) {
  const walk: Walk = {
    ...options,
    anchors: new Map(),
    written: new Map(),
    errors: [],
    nodesLeft: NODES_MAX,
  };
  const root = read(walk, contents, { path: [], disabled: false });
  const { written, errors } = walk;
  if (walk.nodesLeft < 0) {
    const reason = "has too many entries, or aliases that multiply them";
    errors.push({ path: "(the whole file)", reason, fix: "write fewer aliases" });
  }
  if (root === null || root === undefined) return { tree: empty(), written, errors };
  if (isTree(root)) return { tree: root, written, errors };
  const reason = "is not a mapping of `name: value` lines";
  errors.push({ path: "(the whole file)", reason, fix: "begin with `providers:`" });
  return { tree: undefined, written, errors };
}

/** Whether a value of the tree is a mapping. */
export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function empty(): Tree {
  return Object.create(null) as Tree;
}

/** The value of a node; undefined when an error took its place. */
function read(walk: Walk, node: unknown, place: Place): unknown {
  if (--walk.nodesLeft < 0) return undefined;
  if (place.path.length > DEPTH_MAX) {
    return report(walk, place.path.slice(0, 4), "is nested too deeply", "make it flatter");
  }
  if (isAlias(node)) return readAlias(walk, node.source, place);
  if (isScalar(node)) {
    const kept = keepAnchor(walk, node.anchor, node, place);
    return kept ? readScalar(walk, node.value, place) : undefined;
  }
  if (isMap(node)) {
    return keepAnchor(walk, node.anchor, node, place) ? readMap(walk, node, place) : undefined;
  }
  if (isSeq(node)) {
    if (!keepAnchor(walk, node.anchor, node, place)) return undefined;
    return node.items.map((item, at) => read(walk, item, { ...place, path: [...place.path, at] }));
  }
  return null;
}

/** False when another node already has this anchor: which one an alias means would be a guess. */
function keepAnchor(walk: Walk, anchor: string | undefined, node: unknown, place: Place): boolean {
  if (anchor === undefined || walk.anchors.get(anchor) === node) return true;
  if (walk.anchors.has(anchor)) {
    report(walk, place.path, "uses an anchor a second time", "give each & its own name");
    return false;
  }
  walk.anchors.set(anchor, node);
  return true;
}

function readAlias(walk: Walk, name: string, place: Place): unknown {
  const target = walk.anchors.get(name);
  if (target !== undefined) return read(walk, target, place);
  return report(walk, place.path, "is an alias of nothing above", "write the value out");
}

function readScalar(walk: Walk, value: unknown, { path, disabled }: Place): unknown {
  if (typeof value !== "string") return value;
  const expansion = expand(value, walk.env);
  switch (expansion.kind) {
    case "plain":
      return expansion.text;
    case "expanded":
      walk.written.set(say(path), shown(value));
      return expansion.text;
    case "unset": {
      if (disabled) return undefined;
      const names = expansion.names.join(", ");
      const is = expansion.names.length === 1 ? "is" : "are";
      const fix = `set ${names} in the environment, or remove the entry`;
      return report(walk, path, `${names} ${is} not set`, fix);
    }
    case "bad_name": {
      // Not quoted: it may be a secret that somebody put into braces.
      const reason = "what stands between ${ and } cannot be the name of a variable";
      return report(walk, path, reason, "write ${NAME}; for a literal ${ write $${");
    }
    case "unclosed":
      return report(walk, path, "a ${ is not closed", "add }; for a literal ${ write $${");
  }
}

/** A lone `${NAME}` as it is; of anything around it only that it is there, for it may be secret. */
function shown(written: string): string {
  const names = written.match(/\$\{[^}]*\}/g) ?? [];
  return names.length === 1 && names[0] === written ? written : `…${names.join("…")}…`;
}

function readMap(walk: Walk, node: YAMLMap, place: Place): Tree {
  const tree = empty();
  const lines = new Map<string, number>();
  const disabled = place.disabled || saysDisabled(node, walk.env);
  for (const { key, value } of node.items) {
    const name: unknown = isScalar(key) ? key.value : undefined;
    const line = walk.lineOf(isScalar(key) ? (key.range?.[0] ?? 0) : 0);
    if (typeof name !== "string" || name === "__proto__") {
      report(walk, place.path, `cannot have an entry of the name on line ${line}`, "rename it");
      continue;
    }
    const path = [...place.path, name];
    const first = lines.get(name);
    if (first !== undefined) {
      report(walk, path, `is given twice, on lines ${first} and ${line}`, "keep one of them");
      continue;
    }
    lines.set(name, line);
    const found = read(walk, value, { path, disabled });
    if (found !== undefined) tree[name] = found;
  }
  return tree;
}

function saysDisabled(node: YAMLMap, env: Environment): boolean {
  for (const { key, value } of node.items) {
    if (!isScalar(key) || key.value !== "enabled" || !isScalar(value)) continue;
    if (value.value === false) return true;
    if (typeof value.value !== "string") return false;
    const expansion = expand(value.value, env);
    return expansion.kind !== "unset" && "text" in expansion && expansion.text === "false";
  }
  return false;
}

function report(walk: Walk, path: Path, reason: string, fix: string): undefined {
  walk.errors.push({ path: say(path), reason, fix });
  return undefined;
}
